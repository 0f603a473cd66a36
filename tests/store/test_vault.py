"""Secrets at rest."""

import stat

import pytest

from firefork.store.vault import SecretUnreadable, Vault


class TestVault:
    def test_opens_what_it_sealed(self, tmp_path):
        vault = Vault(tmp_path / "key")
        sealed = vault.seal("wJalr", "AKIA1")
        assert vault.open(sealed, "AKIA1") == "wJalr"
        assert b"wJalr" not in sealed

    def test_the_key_file_is_its_owners_alone(self, tmp_path):
        Vault(tmp_path / "key")
        assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600

    def test_the_key_is_kept(self, tmp_path):
        sealed = Vault(tmp_path / "key").seal("x", "o")
        assert Vault(tmp_path / "key").open(sealed, "o") == "x"

    def test_equal_secrets_look_different(self, tmp_path):
        vault = Vault(tmp_path / "key")
        assert vault.seal("x", "o") != vault.seal("x", "o")

    def test_another_owner_or_key_or_a_changed_bit_is_refused(self, tmp_path):
        vault = Vault(tmp_path / "key")
        sealed = vault.seal("x", "o")
        changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        for opener, text, owner in (
            (vault, sealed, "other"),
            (Vault(tmp_path / "second"), sealed, "o"),
            (vault, changed, "o"),
        ):
            with pytest.raises(SecretUnreadable):
                opener.open(text, owner)

    def test_a_file_that_is_no_key_is_refused(self, tmp_path):
        (tmp_path / "key").write_bytes(b"short")
        with pytest.raises(ValueError, match="not a key of 32 bytes"):
            Vault(tmp_path / "key")
