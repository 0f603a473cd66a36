"""Identifiers."""

import uuid

from firefork.store.clock import new_id


def test_ids_are_random_uuids_in_their_usual_form():
    made = [new_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    for text in made:
        parsed = uuid.UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, uuid.RFC_4122)
