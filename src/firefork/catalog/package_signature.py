"""Signatures that AWS Signer puts into packages, for its platform AWSLambda-SHA384-ECDSA: read and verified.

The format was observed in public, AWS does not document it. An entry of the zip holds, as PEM, a CMS SignedData (RFC
5652) whose content is detached. That content is the SHA-384 of the names and bytes of all other entries, one after the
other in the archive's order; how they are compressed, their times and their modes are not signed. The one signer's
certificate lives for days, so its chain counts at the time of signing. The signature ends when its own attribute says.

AWS: Lambda developer guide, "Using code signing to verify code integrity with Lambda".
"""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from firefork.catalog.packages import UNZIPPED_LIMIT, Packages

SIGNATURE_FILE: Final = "META_INF/aws_signer_signature_v1.0.SF"

AWS_ROOTS: Final = frozenset(
    bytes.fromhex(fingerprint)
    for fingerprint in (
        # "Signer us-west-2 ROOT CA". Observed at the end of the chain in signed packages of 2022 and of 2026, the
        # latter straight from StartSigningJob in us-east-1.
        "410220a72bba4576767ba5941b694a9bddc40817f76957f6919fdac89a7849c7",
        # "AWS Signer Code Signing Root CA G1". In the trust store that AWS publishes for Notation, as public trust
        # policies show it; not yet seen in a package.
        "90a87d0543c3f094dbff9589b6649affe2f3d6e0f308799be2258461c686473f",
    )
)
"""SHA-256 of the certificates (DER) of AWS Signer's roots. Signatures bring the certificates themselves along."""

_SIGNATURE_LIMIT: Final = 1 << 16
"""Bytes; AWS's have five thousand."""
_CERTIFICATE_LIMIT: Final = 16
_ARMOR: Final = re.compile(rb"\s*-----BEGIN PKCS7-----\r?\n([^-]*)-----END PKCS7-----\s*")
_CHUNK: Final = 1 << 20
_UTF8_NAME: Final = 0x800
"""The flag of a zip's entry whose name is UTF-8."""

_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
_ALGORITHM_PROTECTION: Final = "1.2.840.113549.1.9.52"
_JOB_ARN: Final = "1.3.187.137.1.2"
_EXPIRY: Final = "1.3.187.137.1.3"
_PROFILE_VERSION_ARN: Final = "1.3.187.137.1.4"

_DIGEST: Final = "sha384"
_ALGORITHM: Final = "sha384_ecdsa"


class SignatureInvalid(Exception):
    """A package has a signature, and it does not hold. Why, in words for a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSignature:
    """Who signed a package, by a signature that holds."""

    profile_version_arn: str
    job_arn: str
    expires: datetime


def signing_fields(signature: PackageSignature | None) -> dict[str, Any]:
    """What functions and layers keep of a signature."""
    if signature is None:
        return {"signing_profile_version_arn": None, "signing_job_arn": None}
    return {"signing_profile_version_arn": signature.profile_version_arn, "signing_job_arn": signature.job_arn}


class PackageSignatures:
    """Signatures of accepted packages. Thread-safe; methods may block."""

    def __init__(self, packages: Packages, roots: Sequence[x509.Certificate] = ()) -> None:
        """``roots`` are trusted besides AWS's own."""
        self._packages = packages
        self._roots = tuple(roots)

    def of(self, digest: str) -> PackageSignature | None:
        """The signature of a package, ``None`` if it has none. Raises SignatureInvalid."""
        return read_signature(self._packages.zip_file(digest), self._roots)


def read_signature(path: Path, roots: Sequence[x509.Certificate] = ()) -> PackageSignature | None:
    """Verify the signature in a zip; ``None`` if it has none. ``roots`` are trusted besides AWS's own.

    Whether it has expired and whether its profile is allowed is for the caller to say. Raises SignatureInvalid.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if SIGNATURE_FILE not in archive.NameToInfo:
                return None
            envelope = _read_envelope(archive)
            content = _content(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise SignatureInvalid(f"the package cannot be read: {error}") from None
    try:
        return _verify(envelope, content, roots)
    except SignatureInvalid:
        raise
    except Exception as error:
        # Bytes that are no CMS, no certificate or no value of its type make the libraries raise a dozen exceptions.
        raise SignatureInvalid(f"the signature cannot be read: {' '.join(str(error).split())}") from None


def _read_envelope(archive: zipfile.ZipFile) -> bytes:
    with archive.open(SIGNATURE_FILE) as file:
        envelope = file.read(_SIGNATURE_LIMIT + 1)
    if len(envelope) > _SIGNATURE_LIMIT:
        raise SignatureInvalid("the signature is too long")
    return envelope


def _content(archive: zipfile.ZipFile) -> bytes:
    """What is signed: the digest of all entries but the signature. Bounded by what a package may hold unpacked."""
    names = [_name(entry) for entry in archive.infolist()]
    if len(set(names)) < len(names):
        raise SignatureInvalid("two entries have the same name")
    digest = hashlib.sha384()
    room = UNZIPPED_LIMIT
    for name, entry in zip(names, archive.infolist(), strict=True):
        if name == SIGNATURE_FILE.encode():
            continue
        digest.update(name)
        with archive.open(entry) as file:
            while chunk := file.read(_CHUNK):
                room -= len(chunk)
                if room < 0:  # entries that are unpacked to the same place count once elsewhere
                    raise SignatureInvalid("the package is too large")
                digest.update(chunk)
    return digest.digest()


def _name(entry: zipfile.ZipInfo) -> bytes:
    """An entry's name in UTF-8, also if the zip does not say that it is. Raises UnicodeError."""
    if entry.flag_bits & _UTF8_NAME:
        return entry.orig_filename.encode()
    name = entry.orig_filename.encode("cp437")  # as zipfile has decoded it
    name.decode()
    return name


def _verify(envelope: bytes, content: bytes, roots: Sequence[x509.Certificate]) -> PackageSignature:
    """Raises SignatureInvalid, and whatever the libraries raise for bytes that are none of theirs."""
    armor = _ARMOR.fullmatch(envelope)
    if armor is None:
        raise SignatureInvalid("it is no PEM file of PKCS7")
    message = cms.ContentInfo.load(base64.b64decode(b"".join(armor[1].split()), validate=True), strict=True)
    _need(message["content_type"].native == "signed_data", "it is no signed data")
    signed = message["content"]
    detached = signed["encap_content_info"]
    _need(detached["content_type"].native == "data" and detached["content"].native is None, "its content is not apart")
    _need(len(signed["signer_infos"]) == 1, "it has not got one signer")
    signer = signed["signer_infos"][0]
    _need(
        signer["digest_algorithm"]["algorithm"].native == _DIGEST
        and signer["signature_algorithm"]["algorithm"].native == _ALGORITHM,
        "its algorithms are others",
    )

    attributes = signer["signed_attrs"]
    values = _values(attributes)
    _need(values[_CONTENT_TYPE] == "data", "it is of another type of content")
    _need(values[_MESSAGE_DIGEST] == hashlib.sha384(content).digest(), "the package was changed after it was signed")
    protected = values[_ALGORITHM_PROTECTION]
    _need(
        protected["digest_algorithm"]["algorithm"] == _DIGEST
        and protected["signature_algorithm"]["algorithm"] == _ALGORITHM,
        "its algorithms were changed",
    )
    signing_time, expires = _moment(values[_SIGNING_TIME]), _moment(values[_EXPIRY])

    leaf, others = _certificates(signed["certificates"], signer["sid"])
    key = leaf.public_key()
    _need(isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP384R1), "its key is no P-384 key")
    assert isinstance(key, ec.EllipticCurvePublicKey)
    try:
        # RFC 5652 section 5.4: what is signed is the DER form of the attributes, as a set of its own.
        key.verify(signer["signature"].native, attributes.untag().dump(force=True), ec.ECDSA(hashes.SHA384()))
    except InvalidSignature:
        raise SignatureInvalid("the signed attributes were changed") from None
    _verify_chain(leaf, others, roots, signing_time)
    profile, job = values[_PROFILE_VERSION_ARN], values[_JOB_ARN]
    _need(isinstance(profile, str) and isinstance(job, str), "it does not say whose it is")
    return PackageSignature(profile_version_arn=profile, job_arn=job, expires=expires)


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise SignatureInvalid(otherwise)


def _values(attributes: cms.CMSAttributes) -> dict[str, Any]:
    """The value of each attribute, by its type."""
    found: dict[str, Any] = {}
    for attribute in attributes:
        kind = attribute["type"].dotted
        _need(kind not in found and len(attribute["values"]) == 1, "an attribute has not got one value")
        found[kind] = attribute["values"][0].native
    return found


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise SignatureInvalid("a time is none")
    return value.astimezone(UTC)


def _certificates(
    certificates: cms.CertificateSet, signer: cms.SignerIdentifier
) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """The signer's certificate, and the others; the root may be there twice."""
    _need(signer.name == "issuer_and_serial_number", "its signer is named in another way")
    _need(len(certificates) <= _CERTIFICATE_LIMIT, "it has too many certificates")
    issuer, serial = signer.chosen["issuer"], signer.chosen["serial_number"].native
    leaf: x509.Certificate | None = None
    others: dict[x509.Name, x509.Certificate] = {}
    for choice in certificates:
        _need(choice.name == "certificate", "it has certificates of another kind")
        certificate = x509.load_der_x509_certificate(choice.chosen.dump())
        if choice.chosen.issuer == issuer and choice.chosen.serial_number == serial:
            leaf = certificate
            continue
        # Of one name there is one, so there is one way to the root: many ways would take for ever to try.
        known = others.setdefault(certificate.subject, certificate)
        _need(known == certificate, "two certificates have the same name")
    if leaf is None:
        raise SignatureInvalid("its signer's certificate is missing")
    return leaf, list(others.values())


def _verify_chain(
    leaf: x509.Certificate, others: list[x509.Certificate], roots: Sequence[x509.Certificate], moment: datetime
) -> None:
    """Raises SignatureInvalid unless ``leaf`` may sign code and, at that moment, a trusted root vouched for it."""
    anchors = [*roots, *(each for each in others if each.fingerprint(hashes.SHA256()) in AWS_ROOTS)]
    _need(bool(anchors), "its root is not trusted")
    anyway = verification.Criticality.AGNOSTIC
    of_signer = (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.KeyUsage, anyway, _may_sign)
        .require_present(x509.ExtendedKeyUsage, anyway, _is_for_code)
    )
    of_issuer = verification.ExtensionPolicy.webpki_defaults_ca().may_be_present(
        x509.ExtendedKeyUsage, anyway, _is_for_code
    )
    policy = (
        verification.PolicyBuilder()
        .store(verification.Store(anchors))
        .time(moment.replace(tzinfo=None))
        .extension_policies(ca_policy=of_issuer, ee_policy=of_signer)
    )
    try:
        policy.build_client_verifier().verify(leaf, others)
    except verification.VerificationError as error:
        raise SignatureInvalid(f"its certificates do not lead to a trusted root: {error}") from None


def _may_sign(policy: verification.Policy, certificate: x509.Certificate, usage: x509.KeyUsage) -> None:
    if not usage.digital_signature:
        raise ValueError("the key is not for signatures")


def _is_for_code(
    policy: verification.Policy, certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None
) -> None:
    if usage is not None and ExtendedKeyUsageOID.CODE_SIGNING not in usage:
        raise ValueError("the certificate is not for code")
