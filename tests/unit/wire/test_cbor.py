from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emr_simulator.wire import cbor

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**63), max_value=2**63),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.datetimes(
        min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        timezones=st.just(UTC),
    ).map(lambda moment: moment.replace(microsecond=0)),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@settings(max_examples=60)
@given(VALUES)
def test_what_is_encoded_decodes_to_itself(value):
    assert cbor.decode(cbor.encode(value)) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0),
        ("1818", 24),
        ("1903e8", 1000),
        ("20", -1),
        ("3903e7", -1000),
        ("f93e00", 1.5),
        ("fa47c35000", 100000.0),
        ("6449455446", "IETF"),
        ("83010203", [1, 2, 3]),
        ("9f0102ff", [1, 2]),
        ("bf6161f5ff", {"a": True}),
        ("7f657374726561646d696e67ff", "streaming"),
        ("f7", None),
        ("c11a514b67b0", datetime(2013, 3, 21, 20, 4, tzinfo=UTC)),
    ],
)
def test_the_examples_of_the_standard_decode(data, value):
    assert cbor.decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize("data", ["", "19", "8201", "c074", "0000", "1c", "f8ff", "1f", "ff", "82ff01"])
def test_what_is_no_cbor_of_the_protocol_is_refused(data):
    with pytest.raises(cbor.CborError):
        cbor.decode(bytes.fromhex(data))


def test_what_has_no_form_is_refused():
    with pytest.raises(cbor.CborError):
        cbor.encode(object())
    with pytest.raises(cbor.CborError):
        cbor.encode(2**64)
