-- Run once by the image of PostgreSQL when its volume is empty: a database of its own for the registry.
CREATE DATABASE mlflow OWNER radikal;
