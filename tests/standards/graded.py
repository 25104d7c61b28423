"""A table of castings as somebody filled it in: two zones of a drawing."""

from core.standards.reading import read_rule_set
from core.standards.verdict import Verdict

GRADED_ID = "drawing-4711"
ACCEPTABLE, NOT_ACCEPTABLE, NOT_EVALUABLE = Verdict
TEXT = """\
id: drawing-4711
version: "1"
title: Drawing 4711
standard: ASTM E155
edition: unknown
source: drawing 4711
verified: false
family: casting
grades: {references: ASTM E155, highest: 8}
levels:
  - {id: zone 1, title: around the bore}
  - {id: zone 2, title: elsewhere}
rules:
  - id: gas-hole
    title: gas hole
    kinds: [gas-hole]
    clause: drawing
    levels:
      zone 1: [{check: grade, at_most: 2}]
      zone 2: [{check: grade, at_most: 4}]
  - id: gas-porosity
    title: gas porosity
    kinds: [round-gas-porosity, elongated-gas-porosity]
    clause: drawing
    thickness: t
    bands:
      - up_to_mm: 10
        levels: {zone 1: not permitted, zone 2: [{check: grade, at_most: 3}]}
      - levels: {zone 1: [{check: grade, at_most: 1}], zone 2: [{check: grade, at_most: 5}]}
  - id: sponge
    title: shrinkage sponge
    kinds: [shrinkage-sponge]
    clause: drawing
    levels: {zone 1: not stated, zone 2: not stated}
  - id: crack
    title: crack, hot tear
    kinds: [crack, hot-tear]
    clause: drawing
    levels: {zone 1: not permitted, zone 2: not permitted}
"""
GRADED = read_rule_set(TEXT, "drawing-4711.yaml")
