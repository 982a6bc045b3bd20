"""IPP messages and a small IPP client, for interop peers.

What it is: a small, strict encoder and decoder of IPP messages (RFC 8010 section 3, value
rules of RFC 8011 section 5.1) and a client that posts one message over HTTP or HTTPS and
reads the answer with the document data behind it (RFC 8010 section 4; PWG 5100.18-2025
section 5.5 has answers that carry document data).

What it is not: a general IPP library. It knows no attribute by name, except those two that
open every operation group and two registered attributes whose keywords break the keyword
syntax. It does not read multipart/related answers. HTTP Upgrade to TLS is not done.

Strict means: anything malformed raises IppError with the place and the reason. Nothing is
repaired and nothing is skipped.

Sources: RFC 8010, RFC 8011, RFC 2579 (dateTime), RFC 3380 (out-of-band tags), IANA IPP
registry, PWG 5100.18-2025.
"""

import base64
import http.client
import re
import ssl
import struct
from typing import NamedTuple
from urllib.parse import urlsplit

OPERATION_GROUP, JOB_GROUP, END_OF_ATTRIBUTES, PRINTER_GROUP, UNSUPPORTED_GROUP = 1, 2, 3, 4, 5
SUBSCRIPTION_GROUP, EVENT_GROUP, RESOURCE_GROUP, DOCUMENT_GROUP, SYSTEM_GROUP = 6, 7, 8, 9, 10

UNSUPPORTED, UNKNOWN, NO_VALUE, NOT_SETTABLE, DELETE, ADMIN_DEFINE = 0x10, 0x12, 0x13, 0x15, 0x16, 0x17
INTEGER, BOOLEAN, ENUM = 0x21, 0x22, 0x23
OCTETS, DATE_TIME, RESOLUTION, RANGE, COLLECTION = 0x30, 0x31, 0x32, 0x33, 0x34
TEXT_LANG, NAME_LANG, END_COLLECTION = 0x35, 0x36, 0x37
TEXT, NAME, KEYWORD, URI, URI_SCHEME, CHARSET, LANGUAGE, MIME, MEMBER = \
    0x41, 0x42, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A
EXTENSION = 0x7F

TAG_NAMES = {
    UNSUPPORTED: "unsupported", UNKNOWN: "unknown", NO_VALUE: "no-value", NOT_SETTABLE: "not-settable",
    DELETE: "delete-attribute", ADMIN_DEFINE: "admin-define", INTEGER: "integer", BOOLEAN: "boolean",
    ENUM: "enum", OCTETS: "octetString", DATE_TIME: "dateTime", RESOLUTION: "resolution",
    RANGE: "rangeOfInteger", COLLECTION: "collection", TEXT_LANG: "textWithLanguage",
    NAME_LANG: "nameWithLanguage", TEXT: "textWithoutLanguage", NAME: "nameWithoutLanguage",
    KEYWORD: "keyword", URI: "uri", URI_SCHEME: "uriScheme", CHARSET: "charset",
    LANGUAGE: "naturalLanguage", MIME: "mimeMediaType", EXTENSION: "extension",
}
OUT_OF_BAND = (UNSUPPORTED, UNKNOWN, NO_VALUE, NOT_SETTABLE, DELETE, ADMIN_DEFINE)

OPERATIONS = {
    0x0002: "Print-Job", 0x0004: "Validate-Job", 0x0005: "Create-Job", 0x0006: "Send-Document",
    0x0008: "Cancel-Job", 0x0009: "Get-Job-Attributes", 0x000A: "Get-Jobs",
    0x000B: "Get-Printer-Attributes", 0x000C: "Hold-Job", 0x000D: "Release-Job",
    0x0016: "Create-Printer-Subscriptions", 0x001A: "Renew-Subscription",
    0x001B: "Cancel-Subscription", 0x001C: "Get-Notifications",
    0x0034: "Get-Document-Attributes", 0x0035: "Get-Documents", 0x0039: "Cancel-My-Jobs",
    0x003B: "Close-Job", 0x003C: "Identify-Printer", 0x003F: "Acknowledge-Document",
    0x0040: "Acknowledge-Identify-Printer", 0x0041: "Acknowledge-Job", 0x0042: "Fetch-Document",
    0x0043: "Fetch-Job", 0x0044: "Get-Output-Device-Attributes", 0x0045: "Update-Active-Jobs",
    0x0046: "Deregister-Output-Device", 0x0047: "Update-Document-Status",
    0x0048: "Update-Job-Status", 0x0049: "Update-Output-Device-Attributes",
}
OPERATION_CODES = {name: code for code, name in OPERATIONS.items()}

STATUSES = {
    0x0000: "successful-ok", 0x0001: "successful-ok-ignored-or-substituted-attributes",
    0x0002: "successful-ok-conflicting-attributes", 0x0003: "successful-ok-ignored-subscriptions",
    0x0005: "successful-ok-too-many-events", 0x0007: "successful-ok-events-complete",
    0x0400: "client-error-bad-request", 0x0401: "client-error-forbidden",
    0x0402: "client-error-not-authenticated", 0x0403: "client-error-not-authorized",
    0x0404: "client-error-not-possible", 0x0405: "client-error-timeout",
    0x0406: "client-error-not-found", 0x0407: "client-error-gone",
    0x0408: "client-error-request-entity-too-large", 0x0409: "client-error-request-value-too-long",
    0x040A: "client-error-document-format-not-supported",
    0x040B: "client-error-attributes-or-values-not-supported",
    0x040C: "client-error-uri-scheme-not-supported", 0x040D: "client-error-charset-not-supported",
    0x040E: "client-error-conflicting-attributes", 0x040F: "client-error-compression-not-supported",
    0x0410: "client-error-compression-error", 0x0411: "client-error-document-format-error",
    0x0412: "client-error-document-access-error", 0x0413: "client-error-attributes-not-settable",
    0x0414: "client-error-ignored-all-subscriptions", 0x0415: "client-error-too-many-subscriptions",
    0x0418: "client-error-document-password-error", 0x0419: "client-error-document-permission-error",
    0x041A: "client-error-document-security-error", 0x041B: "client-error-document-unprintable-error",
    0x041C: "client-error-account-info-needed", 0x041D: "client-error-account-closed",
    0x041E: "client-error-account-limit-reached", 0x041F: "client-error-account-authorization-failed",
    0x0420: "client-error-not-fetchable", 0x0500: "server-error-internal-error",
    0x0501: "server-error-operation-not-supported", 0x0502: "server-error-service-unavailable",
    0x0503: "server-error-version-not-supported", 0x0504: "server-error-device-error",
    0x0505: "server-error-temporary-error", 0x0506: "server-error-not-accepting-jobs",
    0x0507: "server-error-busy", 0x0508: "server-error-job-canceled",
    0x0509: "server-error-multiple-document-jobs-not-supported",
    0x050A: "server-error-printer-is-deactivated", 0x050B: "server-error-too-many-jobs",
    0x050C: "server-error-too-many-documents",
}
STATUS_CODES = {name: code for code, name in STATUSES.items()}


def status_name(code):
    return STATUSES.get(code, f"0x{code:04x}")


class IppError(Exception):
    """A message that breaks RFC 8010 or RFC 8011. Of a request that could be read so far,
    `version`, `code` and `request_id` say what it was, for an answer."""

    version = (1, 1)
    code = 0
    request_id = 0


class HttpRefused(Exception):
    """An answer with an HTTP status other than 200: it carries no IPP message."""

    def __init__(self, status, headers):
        super().__init__(f"HTTP status {status}")
        self.status, self.headers = status, headers


class ConnectionLost(OSError):
    """The connection ended before the whole answer was here."""

    def __init__(self, reason, octets=0):
        super().__init__(reason)
        self.octets = octets


# ---- values ----

class Value(NamedTuple):
    tag: int
    value: object


class Localized(NamedTuple):
    """textWithLanguage, nameWithLanguage"""
    language: str
    text: str


class Resolution(NamedTuple):
    cross_feed: int
    feed: int
    units: int  # 3 dpi, 4 dpcm


class Range(NamedTuple):
    lower: int
    upper: int


class DateTime(NamedTuple):
    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    decisecond: int
    direction: str
    utc_hours: int
    utc_minutes: int


class Attributes(dict):
    """Attributes in their order: name -> list of Value. Also the value of a collection."""

    def add(self, name, tag, *values):
        """Add one attribute; out-of-band tags take no value."""
        if name in self:
            raise IppError(f"attribute {name} twice in one group")
        self[name] = [Value(tag, value) for value in (values or [None])]
        return self

    def first(self, name, default=None):
        """The first value, or the default when absent or out-of-band."""
        values = self.get(name)
        return default if not values or values[0].tag in OUT_OF_BAND else values[0].value

    def list(self, name):
        """All values, [] when absent or out-of-band."""
        return [value.value for value in self.get(name, []) if value.tag not in OUT_OF_BAND]

    def tags(self, name):
        return [value.tag for value in self.get(name, [])]

    def text(self, name, default=None):
        value = self.first(name, default)
        return value.text if isinstance(value, Localized) else value


class Group(Attributes):
    """One attribute group: Attributes with a delimiter tag."""

    def __init__(self, tag):
        super().__init__()
        self.tag = tag


# The longest value in octets and the characters of each string syntax (RFC 8011 section 5.1).
STRINGS = {
    TEXT: (1023, None), NAME: (255, None),
    KEYWORD: (255, re.compile(r"[a-z][a-z0-9._-]*")),
    URI: (1023, re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]*")),
    URI_SCHEME: (63, re.compile(r"[a-z][a-z0-9+.-]*")),
    CHARSET: (63, re.compile(r"[a-z0-9][a-z0-9._:+()-]*")),
    LANGUAGE: (63, re.compile(r"[a-z]{1,8}(-[a-z0-9]{1,8})*")),
    MIME: (255, re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+( *;.*)?")),
}
# Registered keywords that do not start with a lower-case letter.
LOOSE_KEYWORDS = {"ipp-versions-supported", "urf-supported"}
LOOSE_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
ATTRIBUTE_NAME = re.compile(r"[a-z][a-z0-9._-]*")
DEEPEST = 8


def check_string(name, tag, text):
    """Refuse a string that breaks its syntax; returns its octets."""
    limit, pattern = STRINGS[tag]
    octets = text.encode("utf-8")
    if len(octets) > limit:
        raise IppError(f"{name}: {TAG_NAMES[tag]} of {len(octets)} octets, at most {limit} allowed")
    if tag == KEYWORD and name in LOOSE_KEYWORDS:
        pattern = LOOSE_KEYWORD
    if pattern and not pattern.fullmatch(text):
        raise IppError(f"{name}: '{text}' is no {TAG_NAMES[tag]}")
    return octets


def check_number(name, tag, value):
    """Refuse a value outside of its syntax."""
    if tag == ENUM and value < 1:
        raise IppError(f"{name}: enum {value}, enums start at 1")
    if tag == RESOLUTION and (value.units not in (3, 4) or value.cross_feed < 1 or value.feed < 1):
        raise IppError(f"{name}: bad resolution {tuple(value)}")
    if tag == RANGE and value.lower > value.upper:
        raise IppError(f"{name}: range with lower bound above upper bound")
    if tag == DATE_TIME and not (
            1 <= value.month <= 12 and 1 <= value.day <= 31 and value.hour <= 23 and value.minute <= 59
            and value.second <= 60 and value.decisecond <= 9 and value.direction in "+-"
            and value.utc_hours <= 14 and value.utc_minutes <= 59):
        raise IppError(f"{name}: bad dateTime {tuple(value)}")


# ---- encoder ----

def encode_value(name, tag, value):
    """The octets of one value, without tag and length (collections: see encode_attributes)."""
    if tag in OUT_OF_BAND:
        if value is not None:
            raise IppError(f"{name}: out-of-band with a value")
        return b""
    if tag in STRINGS:
        return check_string(name, tag, value)
    if tag in (TEXT_LANG, NAME_LANG):
        language = check_string(name, LANGUAGE, value.language)
        text = check_string(name, TEXT if tag == TEXT_LANG else NAME, value.text)
        return struct.pack(">h", len(language)) + language + struct.pack(">h", len(text)) + text
    if tag == OCTETS:
        if len(value) > 1023:
            raise IppError(f"{name}: octetString of {len(value)} octets")
        return bytes(value)
    if tag == EXTENSION:
        return bytes(value)
    if tag == BOOLEAN:
        return b"\x01" if value else b"\x00"
    check_number(name, tag, value)
    if tag in (INTEGER, ENUM):
        return struct.pack(">i", value)
    if tag == RESOLUTION:
        return struct.pack(">iib", *value)
    if tag == RANGE:
        return struct.pack(">ii", *value)
    if tag == DATE_TIME:
        return struct.pack(">HBBBBBBcBB", *value[:7], value.direction.encode(), *value[8:])
    raise IppError(f"{name}: no value tag 0x{tag:02x}")


def encode_item(tag, name, octets):
    label = name.encode("ascii")
    if len(label) > 255 or len(octets) > 32767:
        raise IppError(f"{name}: too long")
    return struct.pack(">BH", tag, len(label)) + label + struct.pack(">H", len(octets)) + octets


def encode_attribute(name, values, member=False):
    if not ATTRIBUTE_NAME.fullmatch(name):
        raise IppError(f"'{name}' is no attribute name")
    if not values or (len(values) > 1 and any(value.tag in OUT_OF_BAND for value in values)):
        raise IppError(f"{name}: no value, or an out-of-band value beside another")
    out = encode_item(MEMBER, "", name.encode("ascii")) if member else b""
    label = "" if member else name
    for tag, value in values:
        if tag == COLLECTION:
            out += encode_item(COLLECTION, label, b"")
            for inner, inner_values in value.items():
                out += encode_attribute(inner, inner_values, member=True)
            out += encode_item(END_COLLECTION, "", b"")
        else:
            out += encode_item(tag, label, encode_value(name, tag, value))
        label = ""
    return out


# ---- decoder ----

class Reader:
    """Walks over the octets of a message and never past their end."""

    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def take(self, count, what):
        if count < 0 or self.at + count > len(self.octets):
            raise IppError(f"octet {self.at}: message ends inside {what}")
        self.at += count
        return self.octets[self.at - count:self.at]

    def length(self, what):
        value = struct.unpack(">h", self.take(2, what))[0]
        if value < 0:
            raise IppError(f"octet {self.at - 2}: {what} above 32767")
        return value

    def item(self):
        """One tag, name, value."""
        tag = self.take(1, "a tag")[0]
        name = self.take(self.length("name-length"), "a name")
        value = self.take(self.length("value-length"), "a value")
        try:
            return tag, name.decode("ascii"), value
        except UnicodeDecodeError as error:
            raise IppError(f"octet {self.at}: attribute name is not ASCII") from error

    def peek(self):
        if self.at >= len(self.octets):
            raise IppError("end-of-attributes-tag is missing")
        return self.octets[self.at]


FIXED = {INTEGER: 4, ENUM: 4, BOOLEAN: 1, DATE_TIME: 11, RESOLUTION: 9, RANGE: 8}


def utf8(name, octets):
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise IppError(f"{name}: value is not UTF-8") from error


def decode_value(name, tag, octets):
    if tag in FIXED and len(octets) != FIXED[tag]:
        raise IppError(f"{name}: {TAG_NAMES[tag]} of {len(octets)} octets")
    if tag in OUT_OF_BAND:
        if octets:
            raise IppError(f"{name}: {TAG_NAMES[tag]} with {len(octets)} octets of value")
        return None
    if tag in STRINGS:
        text = utf8(name, octets)
        check_string(name, tag, text)
        return text
    if tag in (TEXT_LANG, NAME_LANG):
        inner = Reader(octets)
        language = utf8(name, inner.take(inner.length("a language"), "a language"))
        text = utf8(name, inner.take(inner.length("a text"), "a text"))
        if inner.at != len(octets):
            raise IppError(f"{name}: {TAG_NAMES[tag]} with octets left over")
        check_string(name, LANGUAGE, language)
        check_string(name, TEXT if tag == TEXT_LANG else NAME, text)
        return Localized(language, text)
    if tag == OCTETS and len(octets) > 1023:
        raise IppError(f"{name}: octetString of {len(octets)} octets")
    if tag in (OCTETS, EXTENSION):
        return octets
    if tag == BOOLEAN:
        if octets not in (b"\x00", b"\x01"):
            raise IppError(f"{name}: boolean 0x{octets.hex()}")
        return octets == b"\x01"
    if tag in (INTEGER, ENUM):
        value = struct.unpack(">i", octets)[0]
    elif tag == RESOLUTION:
        value = Resolution(*struct.unpack(">iib", octets))
    elif tag == RANGE:
        value = Range(*struct.unpack(">ii", octets))
    elif tag == DATE_TIME:
        part = struct.unpack(">HBBBBBBcBB", octets)
        value = DateTime(*part[:7], part[7].decode("latin-1"), *part[8:])
    else:
        raise IppError(f"{name}: no value tag 0x{tag:02x}")
    check_number(name, tag, value)
    return value


def decode_collection(reader, name, depth):
    if depth > DEEPEST:
        raise IppError(f"{name}: collections nested deeper than {DEEPEST}")
    out, current = Attributes(), None
    while True:
        tag, label, octets = reader.item()
        if label:
            raise IppError(f"{name}: attribute name {label} inside a collection")
        if tag in (MEMBER, END_COLLECTION) and current is not None and not out[current]:
            raise IppError(f"{name}: member {current} without a value")
        if tag == END_COLLECTION:
            if octets:
                raise IppError(f"{name}: endCollection with a value")
            return out
        if tag == MEMBER:
            current = utf8(name, octets)
            if not ATTRIBUTE_NAME.fullmatch(current) or current in out:
                raise IppError(f"{name}: member name '{current}' bad or twice")
            out[current] = []
        elif current is None:
            raise IppError(f"{name}: value before the first memberAttrName")
        else:
            append_value(reader, out[current], f"{name}/{current}", current, tag, octets, depth)


def append_value(reader, values, place, name, tag, octets, depth):
    """Add one decoded value to the values of an attribute or a member."""
    if values and (tag in OUT_OF_BAND or values[0].tag in OUT_OF_BAND):
        raise IppError(f"{place}: out-of-band value beside another")
    if tag == COLLECTION:
        if octets:
            raise IppError(f"{place}: begCollection with a value")
        values.append(Value(tag, decode_collection(reader, place, depth + 1)))
    else:
        values.append(Value(tag, decode_value(name, tag, octets)))


# ---- messages ----

class Message:
    """One request or answer. `code` is the operation-id or the status-code."""

    def __init__(self, code, request_id, version=(2, 0)):
        self.version, self.code, self.request_id = version, code, request_id
        self.groups, self.data = [], b""

    @classmethod
    def opening(cls, code, request_id, version=(2, 0), language="en"):
        """A message whose operation group has its two first attributes."""
        message = cls(code, request_id, version)
        operation = message.new_group(OPERATION_GROUP)
        operation.add("attributes-charset", CHARSET, "utf-8")
        operation.add("attributes-natural-language", LANGUAGE, language)
        return message

    def new_group(self, tag):
        self.groups.append(Group(tag))
        return self.groups[-1]

    def all(self, tag):
        return [group for group in self.groups if group.tag == tag]

    def group(self, tag):
        """The first group of that tag, an empty one when there is none."""
        return next((group for group in self.groups if group.tag == tag), Group(tag))

    @property
    def operation(self):
        return self.group(OPERATION_GROUP)

    def encode(self):
        out = struct.pack(">BBHI", *self.version, self.code, self.request_id)
        for group in self.groups:
            out += bytes([group.tag])
            out += b"".join(encode_attribute(name, values) for name, values in group.items())
        return out + bytes([END_OF_ATTRIBUTES]) + self.data


def decode_groups(reader, message):
    current = None
    while True:
        tag = reader.peek()
        if tag >= 0x10:
            label = decode_attribute(reader, message, current)
            current = label
            continue
        reader.at += 1
        current = None
        if tag == END_OF_ATTRIBUTES:
            break
        if tag == 0:
            raise IppError(f"octet {reader.at - 1}: group tag 0")
        if not message.groups and tag != OPERATION_GROUP:
            raise IppError(f"first group has tag {tag}, not the operation group")
        if message.groups and tag == OPERATION_GROUP:
            raise IppError("a second operation group")
        message.new_group(tag)
    message.data = reader.octets[reader.at:]


def decode_attribute(reader, message, current):
    """One item of a group; returns the name of the attribute it belongs to."""
    at = reader.at
    tag, name, octets = reader.item()
    if not message.groups:
        raise IppError(f"octet {at}: attribute before the first group")
    group = message.groups[-1]
    if not name and current is None:
        raise IppError(f"octet {at}: additional value without an attribute")
    if tag in (MEMBER, END_COLLECTION):
        raise IppError(f"octet {at}: collection part outside of a collection")
    if name:
        if not ATTRIBUTE_NAME.fullmatch(name) or len(name) > 255:
            raise IppError(f"octet {at}: '{name}' is no attribute name")
        if name in group:
            raise IppError(f"{name}: twice in one group")
        group[name] = []
    label = name or current
    append_value(reader, group[label], label, label, tag, octets, 0)
    return label


def decode(octets):
    """Read a whole message, or raise IppError."""
    if len(octets) < 8:
        raise IppError("shorter than a message header")
    major, minor, code, request_id = struct.unpack(">BBHI", octets[:8])
    message = Message(code, request_id, (major, minor))
    reader = Reader(octets)
    reader.at = 8
    try:
        decode_groups(reader, message)
        check_opening(message)
    except IppError as error:
        error.version, error.code, error.request_id = (major, minor), code, request_id
        raise
    return message


def check_opening(message):
    """RFC 8011 section 4.1.1 and 4.1.4: request-id, charset first, language second."""
    if not 1 <= message.request_id <= 0x7FFFFFFF:
        raise IppError(f"request-id {message.request_id}")
    names = list(message.operation)
    if names[:2] != ["attributes-charset", "attributes-natural-language"]:
        raise IppError("the operation group does not start with attributes-charset, attributes-natural-language")
    for name, tag in (("attributes-charset", CHARSET), ("attributes-natural-language", LANGUAGE)):
        if message.operation.tags(name) != [tag]:
            raise IppError(f"{name} is not one {TAG_NAMES[tag]}")


# ---- client ----

class Client:
    """Posts messages to one printer and keeps the connection."""

    def __init__(self, uri, token=None, user=None, password=None, tls=False, ca_file=None,
                 insecure=False, timeout=60):
        parts = urlsplit(uri)
        if parts.scheme not in ("ipp", "ipps") or not parts.hostname:
            raise ValueError(f"{uri} is no ipp or ipps uri")
        self.secure = tls or parts.scheme == "ipps"
        self.uri = uri.replace("ipp://", "ipps://", 1) if self.secure else uri
        self.host, self.port, self.path = parts.hostname, parts.port or 631, parts.path or "/"
        self.timeout, self.connection, self.request_id = timeout, None, 0
        self.headers = {"Content-Type": "application/ipp", "Accept": "application/ipp"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        elif password is not None:
            secret = base64.b64encode(f"{user}:{password}".encode()).decode()
            self.headers["Authorization"] = f"Basic {secret}"
        self.tls = None
        if self.secure:
            self.tls = ssl.create_default_context(cafile=ca_file)
            if insecure:
                self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def request(self, operation, version=(2, 0)):
        """A new request with printer-uri in its place."""
        self.request_id += 1
        message = Message.opening(OPERATION_CODES[operation], self.request_id, version)
        message.operation.add("printer-uri", URI, self.uri)
        return message

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout, context=self.tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def exchange(self, request):
        """Send one request; the checked answer, its document data in `.data`."""
        octets, kept = request.encode(), self.connection is not None
        try:
            try:
                answer = self.post(octets)
            except (http.client.RemoteDisconnected, ConnectionError):
                if not kept:
                    raise
                self.close()  # the kept connection had timed out
                answer = self.post(octets)
            body = answer.read()
        except http.client.IncompleteRead as error:
            self.close()
            raise ConnectionLost("the answer is not complete", len(error.partial)) from error
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise ConnectionLost(f"{type(error).__name__}: {error}") from error
        if answer.status != 200:
            raise HttpRefused(answer.status, dict(answer.getheaders()))
        if answer.getheader("Content-Type", "").split(";")[0].strip().lower() != "application/ipp":
            raise IppError(f"Content-Type is {answer.getheader('Content-Type')}")
        return check_answer(request, decode(body))

    def post(self, octets):
        if self.connection is None:
            self.connection = self.connect()
        self.connection.request("POST", self.path, octets, self.headers)
        return self.connection.getresponse()


NEED_UNSUPPORTED = (0x0001, 0x0002, 0x040B, 0x040E)


def check_answer(request, answer):
    """RFC 8011 section 4.1: what holds for every answer."""
    if answer.request_id != request.request_id:
        raise IppError(f"request-id {answer.request_id} answers {request.request_id}")
    if answer.version != request.version:
        raise IppError(f"version {answer.version} answers {request.version}")
    if answer.operation.first("attributes-charset") != "utf-8":
        raise IppError("attributes-charset of the answer is not utf-8")
    for name in ("status-message", "detailed-status-message"):
        if name in answer.operation and answer.operation.tags(name)[0] not in (TEXT, TEXT_LANG):
            raise IppError(f"{name} is no text")
    places = [at for at, group in enumerate(answer.groups) if group.tag == UNSUPPORTED_GROUP]
    if places not in ([], [1]):
        raise IppError("the unsupported group is not right behind the operation group")
    if answer.code in NEED_UNSUPPORTED and not places:
        raise IppError(f"{status_name(answer.code)} without an unsupported group")
    if places and not answer.groups[1]:
        raise IppError("an empty unsupported group")
    return answer
