"""AWS error answers as Python exceptions.

One class per AWS error code and service where code raises it by name. The HTTP status comes from the service
model when the model knows the code, otherwise from ``status`` here. Members other than the message (``Reason``,
``retryAfterSeconds`` ...) are passed as keywords and are serialized as the model says.
"""

from __future__ import annotations

from typing import ClassVar


class ServiceError(Exception):
    """An error that the caller is told about, in the error shape of the service's protocol."""

    code: ClassVar[str] = "InternalFailure"
    status: ClassVar[int] = 400
    fault: ClassVar[str] = "User"
    """``User`` (the caller can change it) or ``Server``."""
    message_member: ClassVar[str] = "message"
    """What the text is called in JSON when the service's model does not know the code."""

    def __init__(self, message: str, **members: object) -> None:
        super().__init__(message)
        self.message = message
        self.members = members


# Answered by the front door for every service.


class AccessDenied(ServiceError):
    code = "AccessDeniedException"
    status = 403
    message_member = "Message"


class ExpiredToken(ServiceError):
    code = "ExpiredTokenException"
    status = 403


class IncompleteSignature(ServiceError):
    code = "IncompleteSignatureException"
    status = 400


class InvalidSignature(ServiceError):
    code = "InvalidSignatureException"
    status = 403


class MissingAuthenticationToken(ServiceError):
    code = "MissingAuthenticationTokenException"
    status = 403


class UnrecognizedClient(ServiceError):
    code = "UnrecognizedClientException"
    status = 403


class ValidationError(ServiceError):
    """A request that breaks the service model. The wire code differs by service (the front door maps it)."""

    code = "ValidationException"
    status = 400


class RequestEntityTooLarge(ServiceError):
    code = "RequestEntityTooLargeException"
    status = 413


class RequestTimeout(ServiceError):
    """A request that was begun and never finished."""

    code = "RequestTimeoutException"
    status = 408


class BadRequest(ServiceError):
    """Bytes that are no HTTP request."""

    code = "BadRequestException"
    status = 400


class SerializationFailure(ServiceError):
    """A body that cannot be parsed at all."""

    code = "SerializationException"
    status = 400


class UnknownOperation(ServiceError):
    code = "UnknownOperationException"
    status = 404


class InvalidAction(ServiceError):
    """The same for services of the query protocol."""

    code = "InvalidAction"
    status = 400


class MissingAction(ServiceError):
    code = "MissingAction"
    status = 400


class NotImplementedHere(ServiceError):
    """A modelled operation or service that Firefork does not serve (yet)."""

    code = "NotImplementedException"
    status = 501
    fault = "Server"


class UpstreamFailed(ServiceError):
    """The endpoint that serves the other services gave no answer."""

    code = "BadGatewayException"
    status = 502
    fault = "Server"


class ServiceFailure(ServiceError):
    """Our fault: the cause is in the server's log under the request id."""

    code = "ServiceException"
    status = 500
    fault = "Server"


# Lambda. AWS: API reference, Invoke and CreateFunction, "Errors".


class ResourceNotFound(ServiceError):
    code = "ResourceNotFoundException"
    status = 404


class ResourceConflict(ServiceError):
    code = "ResourceConflictException"
    status = 409


class InvalidParameterValue(ServiceError):
    code = "InvalidParameterValueException"
    status = 400


class InvalidRequestContent(ServiceError):
    code = "InvalidRequestContentException"
    status = 400


class PreconditionFailed(ServiceError):
    code = "PreconditionFailedException"
    status = 412


class TooManyRequests(ServiceError):
    code = "TooManyRequestsException"
    status = 429


class ProvisionedConcurrencyConfigNotFound(ServiceError):
    code = "ProvisionedConcurrencyConfigNotFoundException"
    status = 404


class SnapStartFailure(ServiceError):
    code = "SnapStartException"
    status = 400


class SnapStartTimeout(ServiceError):
    code = "SnapStartTimeoutException"
    status = 408


class CodeStorageExceeded(ServiceError):
    code = "CodeStorageExceededException"
    status = 400


class PolicyLengthExceeded(ServiceError):
    code = "PolicyLengthExceededException"
    status = 400


class ResourceInUse(ServiceError):
    code = "ResourceInUseException"
    status = 400


class CodeVerificationFailed(ServiceError):
    code = "CodeVerificationFailedException"
    status = 400


class CodeSigningConfigNotFound(ServiceError):
    code = "CodeSigningConfigNotFoundException"
    status = 404


# CloudWatch Logs.


class ResourceAlreadyExists(ServiceError):
    code = "ResourceAlreadyExistsException"
    status = 400


class InvalidParameter(ServiceError):
    code = "InvalidParameterException"
    status = 400


class TooManyTags(ServiceError):
    code = "TooManyTagsException"
    status = 400


class LogsResourceNotFound(ServiceError):
    code = "ResourceNotFoundException"
    status = 400


class LogsLimitExceeded(ServiceError):
    code = "LimitExceededException"
    status = 400


class MalformedQueryException(ServiceError):
    code = "MalformedQueryException"
    status = 400


# CloudWatch. The query protocol has other codes for them: the service model says which.


class MissingRequiredParameter(ServiceError):
    code = "MissingRequiredParameterException"
    status = 400


class InvalidParameterCombination(ServiceError):
    code = "InvalidParameterCombinationException"
    status = 400


class InvalidNextToken(ServiceError):
    code = "InvalidNextToken"
    status = 400


# EventBridge Schemas. The member Code is the code without "Exception".


class SchemasBadRequest(ServiceError):
    code = "BadRequestException"
    status = 400


class SchemasConflict(ServiceError):
    code = "ConflictException"
    status = 409


class SchemasForbidden(ServiceError):
    code = "ForbiddenException"
    status = 403


class SchemasNotFound(ServiceError):
    code = "NotFoundException"
    status = 404


# IAM and STS. The names of the query protocol, without "Exception". AWS: IAM API reference, "Common errors".


class MalformedPolicyDocument(ServiceError):
    code = "MalformedPolicyDocument"
    status = 400


class NoSuchEntity(ServiceError):
    code = "NoSuchEntity"
    status = 404


class EntityAlreadyExists(ServiceError):
    code = "EntityAlreadyExists"
    status = 409


class DeleteConflict(ServiceError):
    code = "DeleteConflict"
    status = 409


class LimitExceeded(ServiceError):
    code = "LimitExceeded"
    status = 409


class InvalidInput(ServiceError):
    code = "InvalidInput"
    status = 400


class UnmodifiableEntity(ServiceError):
    code = "UnmodifiableEntity"
    status = 400


class InvalidStsParameter(ServiceError):
    """STS's own code for session tags that do not fit together."""

    code = "InvalidParameterValue"
    status = 400


class PackedPolicyTooLarge(ServiceError):
    code = "PackedPolicyTooLarge"
    status = 400
