"""What an answer says where a part of it cannot be had."""

from types import SimpleNamespace

from hansa.api import answers
from hansa.node.intake import Answer
from hansa.wire.problems import HansaError


def test_an_answer_counts_without_the_receipt_that_cannot_be_made_now():
    """On a full disk no checkpoint is signed; the entry is durable all the same, and must not be called unknown."""

    def none(seq):
        raise HansaError("checkpoint.none", f"no stored checkpoint covers entry {seq}")

    node = SimpleNamespace(sign_checkpoint=lambda: None, reading=SimpleNamespace(receipt=none))
    assert answers.receipt_of(node, Answer(bytes(32), 7, b"", False)) is None
