"""No two secrets share an id, and text survives its bytes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.secrets import rules

TENANTS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)
NAMES = st.from_regex(r"[a-z0-9-]{1,100}", fullmatch=True)


@settings(deadline=None)
@given(TENANTS, NAMES, TENANTS, NAMES)
def test_no_two_secrets_share_an_id(tenant: str, name: str, other: str, other_name: str) -> None:
    first, second = rules.secret_id(tenant, name), rules.secret_id(other, other_name)
    assert (first == second) == ((tenant, name) == (other, other_name))
    assert tuple(first.split("_")) == (tenant, name)
    assert len(first) <= 255


@settings(deadline=None)
@given(st.text(alphabet="ab-", min_size=2, max_size=8))
def test_no_way_to_cut_one_text_into_tenant_and_name_gives_the_same_id(text: str) -> None:
    cuts = [(text[:at], text[at:]) for at in range(1, len(text)) if text[0] != "-"]
    assert len({rules.secret_id(tenant, name) for tenant, name in cuts}) == len(cuts)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_text_survives_its_bytes(value: str) -> None:
    assert rules.decode_value("name", rules.encode_value("name", value)) == value
