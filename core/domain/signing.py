"""The meanings of signatures (21 CFR 11.50): one sentence each, the same wherever a signature is shown."""

from collections.abc import Mapping

#: Meanings of the inspector's and of the second person's signature, as they are stored and sealed.
INSPECTED, REVIEWED = "inspected", "reviewed"
#: What a signature with this meaning says.
SIGNATURE_MEANS: Mapping[str, str] = {
    INSPECTED: "I read this radiograph myself and answer for this reading and this disposition.",
    REVIEWED: "I read this radiograph myself, not knowing the first result, and answer for this review.",
}


def meaning_words(meaning: str) -> str:
    """The meaning and its sentence, as they are shown together."""
    return f"{meaning}: {SIGNATURE_MEANS[meaning]}" if meaning in SIGNATURE_MEANS else meaning
