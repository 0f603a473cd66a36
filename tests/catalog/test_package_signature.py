"""Signatures of packages: which hold, which do not, and that none can hold a server up."""

import time
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import cms, core, pem
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from firefork.catalog import package_signature
from firefork.catalog.package_signature import PackageSignature, PackageSignatures, SignatureInvalid, read_signature

ECDSA = {"signature_algorithm": {"algorithm": "sha384_ecdsa"}}
FILES = {"app.py": "def handler(event, context): return 1\n", "données/ü.txt": "é", "empty": ""}


@pytest.fixture(scope="module")
def signer(make_signer):
    return make_signer()


@pytest.fixture(scope="module")
def unsigned(zipped):
    return zipped(FILES)


@pytest.fixture(scope="module")
def signed(signer, unsigned):
    return signer.sign(unsigned)


@pytest.fixture
def read(tmp_path, signer):
    """What a zip's signature says, if its roots are the signer's, or others."""

    def verify(package, roots=None):
        (tmp_path / "package.zip").write_bytes(package)
        return read_signature(tmp_path / "package.zip", [signer.root] if roots is None else roots)

    return verify


@pytest.fixture
def invalid(read):
    """Checks that a signature does not hold; why."""

    def check(package, roots=None):
        with pytest.raises(SignatureInvalid) as caught:
            read(package, roots)
        return str(caught.value)

    return check


def indefinite(der):
    """The same in BER, as AWS does it: all down to the certificates, and the list of them, is of indefinite length."""

    def children(body):
        while body:
            size, start = body[1], 2
            if size & 0x80:
                start += size & 0x7F
                size = int.from_bytes(body[2:start], "big")
            yield body[0], body[start : start + size], body[: start + size]
            body = body[start + size :]

    def convert(tag, body, whole, depth):
        is_outer = tag & 0x20 and (depth < 3 or (depth == 3 and tag != 0x31))
        if not is_outer:
            return whole
        return bytes([tag, 0x80]) + b"".join(convert(*child, depth + 1) for child in children(body)) + b"\0\0"

    [message] = children(der)
    return convert(*message, 0)


def unsorted(der):
    """The same with the attributes in another order than they are signed in, which BER allows."""
    attributes = [each.dump() for each in cms.ContentInfo.load(der)["content"]["signer_infos"][0]["signed_attrs"]]
    assert der.count(b"".join(attributes)) == 1
    return der.replace(b"".join(attributes), b"".join(reversed(attributes)))


class TestHolds:
    @pytest.mark.parametrize("form", [bytes, indefinite, unsorted])
    def test_says_who_signed_and_until_when(self, read, signer, unsigned, form):
        found = read(signer.sign(unsigned, form=form))
        assert found == PackageSignature(profile_version_arn=signer.PROFILE, job_arn=signer.JOB, expires=found.expires)
        assert found.expires.microsecond == 806000
        assert timedelta(days=399) < found.expires - datetime.now(UTC) < timedelta(days=401)

    def test_packing_and_times_are_not_signed(self, read, signed, repacked):
        assert read(repacked(signed, compression=zipfile.ZIP_STORED)) == read(signed)

    def test_names_are_utf8_whether_the_zip_says_so_or_not(self, read, invalid, signed):
        plain = signed
        for header in (b"PK\3\4\x14\0", b"PK\1\2\x14\3\x14\0"):
            assert header + b"\0\x08" in plain
            plain = plain.replace(header + b"\0\x08", header + b"\0\0")
        assert read(plain) == read(signed)
        assert "cannot be read" in invalid(plain.replace("ü".encode(), "ü".encode("utf-16-le")))

    def test_the_order_of_certificates_does_not_matter_and_one_may_be_there_twice(self, read, signer, unsigned):
        assert read(signer.sign(unsigned, others=[signer.root, *signer.issuers]))
        assert read(signer.sign(unsigned, others=signer.issuers[::-1]))

    def test_a_root_need_not_be_in_the_package_if_it_was_given(self, read, signer, unsigned):
        assert read(signer.sign(unsigned, others=signer.issuers[:-1]))

    def test_roots_of_aws_are_known_by_their_fingerprints(self, read, invalid, signer, signed, monkeypatch):
        assert "not trusted" in invalid(signed, roots=[])
        fingerprint = signer.root.fingerprint(hashes.SHA256())
        monkeypatch.setattr(package_signature, "AWS_ROOTS", frozenset([fingerprint]))
        assert read(signed, roots=[])

    def test_one_that_has_expired_is_still_read(self, read, signer, unsigned):
        """What it means is for the code signing config to say."""
        assert read(signer.sign(unsigned, expires_in=timedelta(days=-1))).expires < datetime.now(UTC)

    def test_there_may_be_none(self, read, unsigned):
        assert read(unsigned) is None

    def test_of_an_accepted_package(self, packages, signer, signed, unsigned):
        signatures = PackageSignatures(packages, [signer.root])
        assert signatures.of(packages.accept(signed).digest).job_arn == signer.JOB
        assert signatures.of(packages.accept(unsigned).digest) is None


class TestPackageChanged:
    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda entries: [(name, body.replace(b"1", b"2")) for name, body in entries[:1]] + entries[1:], "changed"),
            (lambda entries: [("other.py", entries[0][1]), *entries[1:]], "changed"),
            (lambda entries: [entries[1], entries[0], *entries[2:]], "changed"),
            (lambda entries: [*entries, ("more.py", b"")], "changed"),
            (lambda entries: [each for each in entries if each[0] != "empty"], "changed"),
            (lambda entries: [each for each in entries if each[0] != "META_INF/"], "changed"),
            (lambda entries: [*entries, ("app.py", b"other")], "same name"),
            (lambda entries: [*entries, entries[-1]], "same name"),
        ],
        ids=["byte", "name", "order", "added", "removed", "folder removed", "name twice", "signature twice"],
    )
    def test_breaks_the_signature(self, invalid, signed, repacked, change, why):
        assert why in invalid(repacked(signed, change))

    def test_entries_that_end_in_one_place_count_each(self, invalid, signer, unsigned, repacked, monkeypatch):
        """Unpacked they replace each other, so their sum was not checked when the package was accepted."""
        monkeypatch.setattr(package_signature, "UNZIPPED_LIMIT", 1 << 20)
        many = repacked(unsigned, lambda entries: [*entries, ("a", bytes(600_000)), ("./a", bytes(600_000))])
        assert "too large" in invalid(signer.sign(many))


class TestSignerNotTrusted:
    def test_another_root(self, invalid, signed, make_signer):
        assert "trusted root" in invalid(signed, roots=[make_signer().root])

    @pytest.mark.parametrize(
        "leaf",
        [
            {"purpose": ExtendedKeyUsageOID.CLIENT_AUTH},
            {"signs": False},
            {"curve": ec.SECP256R1},
            {"ended": True},
        ],
        ids=["not for code", "not for signatures", "another curve", "not valid then"],
    )
    def test_a_certificate_that_may_not_sign_code(self, invalid, signer, unsigned, leaf):
        certificate = signer.certify("leaf", signer.regional, **leaf)
        invalid(signer.sign(unsigned, leaf=certificate))

    def test_issuers_that_are_no_authorities(self, invalid, make_signer, unsigned):
        rogue = make_signer(issuers_are_cas=False)
        invalid(rogue.sign(unsigned), roots=[rogue.root])

    def test_a_missing_issuer(self, invalid, signer, unsigned):
        invalid(signer.sign(unsigned, others=signer.issuers[1:]))

    def test_many_ways_to_a_root_are_not_tried(self, invalid, signer, unsigned):
        """Certificates of one name could lead to each other in more ways than there is time for."""
        twins = [signer.certify("middle", signer.root, ca=True) for _ in range(10)]
        start = time.monotonic()
        assert "same name" in invalid(signer.sign(unsigned, others=[*signer.issuers, *twins]))
        assert "too many" in invalid(signer.sign(unsigned, others=[*signer.issuers, *twins, *twins]))
        assert time.monotonic() - start < 5


class TestSignatureChanged:
    @pytest.fixture
    def changed(self, signer, unsigned, repacked):
        """The signed package, its signature file replaced."""

        def make(change, **options):
            signed = signer.sign(unsigned, **options)
            return repacked(signed, lambda entries: [*entries[:-1], (signer.FILE, change(entries[-1][1]))])

        return make

    @pytest.mark.parametrize("what", [b"AbCdEfGhIj", b"0e1f2a3b", b".806Z"], ids=["profile", "job", "expiry"])
    def test_attributes_are_signed(self, invalid, changed, what):
        def tamper(envelope):
            der = pem.unarmor(envelope)[2]
            assert der.count(what) == 1
            return pem.armor("PKCS7", der.replace(what, what[:1] + b"9" + what[2:]))

        assert invalid(changed(tamper)) == "the signed attributes were changed"

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"nothing of the kind",
            b"-----BEGIN PKCS7-----\n-----END PKCS7-----\n",
            b"-----BEGIN PKCS7-----\n" + b"MIAG" * 30 + b"\n-----END PKCS7-----\n",
            pem.armor("PKCS7", b"\x30\x80" * 5000 + b"\0\0" * 5000),
            pem.armor("PKCS7", cms.ContentInfo({"content_type": "data", "content": b"1"}).dump()),
        ],
        ids=["empty", "no PEM", "empty PEM", "no ASN.1", "nested", "another message"],
    )
    def test_what_is_no_signature(self, invalid, changed, content):
        invalid(changed(lambda envelope: content))

    def test_another_kind_of_pem(self, invalid, changed):
        assert "PEM" in invalid(changed(lambda envelope: envelope.replace(b"PKCS7", b"CMS")))

    def test_more_after_it(self, invalid, changed):
        invalid(changed(lambda envelope: pem.armor("PKCS7", pem.unarmor(envelope)[2] + b"\0")))

    def test_one_that_is_too_long(self, invalid, changed):
        assert "too long" in invalid(changed(lambda envelope: envelope + b"\n" * (1 << 16)))

    def test_content_of_its_own(self, invalid, signer, unsigned):
        held = {"content_type": "data", "content": b"anything"}
        assert "apart" in invalid(signer.sign(unsigned, encap_content_info=held))

    def test_without_a_signer(self, invalid, signer, unsigned):
        assert "one signer" in invalid(signer.sign(unsigned, signer_infos=[]))

    @pytest.mark.parametrize(
        "change",
        [
            {"digest_algorithm": {"algorithm": "sha256"}},
            {"signature_algorithm": {"algorithm": "sha256_ecdsa"}},
            {"sid": cms.SignerIdentifier("subject_key_identifier", b"leaf")},
            {"signed_attrs": None},
        ],
        ids=["digest", "signature", "name", "no attributes"],
    )
    def test_another_kind_of_signer(self, invalid, signer, unsigned, change):
        invalid(signer.sign(unsigned, signer=change))

    @pytest.mark.parametrize(
        "change",
        [
            {"content_type": "enveloped_data"},
            {"message_digest": bytes(48)},
            {"cms_algorithm_protection": {"digest_algorithm": {"algorithm": "sha256"}, **ECDSA}},
            {"1.3.187.137.1.3": core.UTF8String("20371228091926.806Z")},
            {"1.3.187.137.1.4": core.Integer(1)},
            *({kind: None} for kind in ("content_type", "message_digest", "signing_time", "cms_algorithm_protection")),
            *({f"1.3.187.137.1.{number}": None} for number in (2, 3, 4)),
        ],
        ids=lambda change: f"{'no ' if None in change.values() else ''}{next(iter(change))}",
    )
    def test_other_attributes(self, invalid, signer, unsigned, change):
        invalid(signer.sign(unsigned, attributes=change))

    def test_an_attribute_with_two_values(self, invalid, signer, unsigned):
        attributes = cms.CMSAttributes([{"type": "content_type", "values": ["data", "data"]}])
        assert "one value" in invalid(signer.sign(unsigned, signer={"signed_attrs": attributes}))

    @given(at=st.integers(0, 5000), bit=st.integers(0, 7))
    def test_a_bit_never_makes_another_signature_of_it(self, tmp_path_factory, signer, signed, repacked, at, bit):
        """It may be one that does not count: in the header of something, in a certificate that is not needed."""

        def flip(entries):
            der = bytearray(pem.unarmor(entries[-1][1])[2])
            der[at % len(der)] ^= 1 << bit
            return [*entries[:-1], (entries[-1][0], pem.armor("PKCS7", bytes(der)))]

        path = tmp_path_factory.mktemp("flipped") / "package.zip"
        path.write_bytes(repacked(signed, flip))
        try:
            found = read_signature(path, [signer.root])
        except SignatureInvalid:
            return
        assert (found.profile_version_arn, found.job_arn) == (signer.PROFILE, signer.JOB)
