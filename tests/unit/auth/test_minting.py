"""Tokens of our own making, judged by PyJWT."""

import jwt
import pytest

from support.accounts import make_account
from watchword_server.auth.minting import mint_token
from watchword_server.user import Role

SECRET = "a secret of thirty-two bytes, or more"
ADA = make_account("ada", role=Role.DBA)


def mint(
    *, issuer: str = "watchword", audience: str = "", now: float = 1_800_000_000.625, with_role: bool = True
) -> str:
    return mint_token(
        ADA,
        secret=SECRET,
        issuer=issuer,
        audience=audience,
        lifetime_s=90,
        now=now,
        token_id="t-17",
        with_role=with_role,
    )


def read(token: str, **options: object) -> object:
    checks = {"verify_exp": False, "verify_iat": False}
    return jwt.decode(token, SECRET, algorithms=["HS256"], options=checks, **options)  # type: ignore[arg-type]  # table of options


def test_the_claims_are_these_and_no_others() -> None:
    assert read(mint()) == {
        "iss": "watchword",
        "sub": "u_ada",
        "role": "dba",
        "iat": 1_800_000_000.625,
        "exp": 1_800_000_090.625,
        "jti": "t-17",
        "token_use": "access",
    }
    assert jwt.get_unverified_header(mint()) == {"alg": "HS256", "typ": "JWT"}


def test_the_audience_is_named_where_there_is_one() -> None:
    claims = read(mint(audience="https://db.example"), audience="https://db.example")
    assert isinstance(claims, dict)
    assert claims["aud"] == "https://db.example"


def test_the_role_can_be_left_out() -> None:
    claims = read(mint(issuer="https://other.example", with_role=False))
    assert isinstance(claims, dict)
    assert claims["iss"] == "https://other.example"
    assert "role" not in claims


def test_another_secret_does_not_verify_it() -> None:
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(mint(), SECRET + "!", algorithms=["HS256"])
