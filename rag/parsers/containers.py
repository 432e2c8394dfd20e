"""Files that hold others: mails (EML, MSG) with what is attached to them, and ZIP folders. What they hold is
read as documents of their own, named below the file that holds them ("offer.eml/annex.docx")."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from email.message import EmailMessage
from pathlib import PurePosixPath
from typing import Any

from rag.errors import ParseError
from rag.parsers import html, plain
from rag.parsers.base import Limits, Parsed, TextBuilder, one_line
from rag.parsers.encoding import decode
from rag.parsers.marks import without_signs
from rag.parsers.office import open_zip
from rag.types import Loss, LossKind

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_DEEPEST = 5  # mails within mails
_SHOWN_TO, _SHOWN_CC = 0x0E04, 0x0E03  # properties of a message of Outlook (MS-OXPROPS)
# Where a message within another lies (MS-OXMSG), and what is known of each.
_MESSAGE, _PROPERTIES = "_3701000D", "__properties_version1.0"
_UTF8_NAME = 0x800


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse a mail, or list what is in a ZIP folder; its metadata name what `held` gives."""
    from rag.parsers import HOLDS, SUFFIXES  # which name this module

    builder, inside = TextBuilder(), held(data, path=path, limits=limits)
    read_here = [name for name in inside if PurePosixPath(name).suffix.lower() in SUFFIXES]
    builder.losses += [Loss(LossKind.UNSUPPORTED_PART, name) for name in inside if name not in read_here]
    metadata, title = {HOLDS: "\n".join(read_here)}, ""
    if not path.lower().endswith(".zip"):
        mail = _message(data, path)
        title, metadata["author"] = one_line(mail["Subject"] or ""), one_line(mail["From"] or "")
        _write(mail, builder, 1)
    builder.paragraph("\n".join(inside))
    return builder.parsed(title, metadata)


def held(data: bytes, *, path: str, limits: Limits) -> dict[str, Callable[[], bytes]]:
    """What is in a file by its name, and how to get its bytes. Raises ParseError as `read` does."""
    if path.lower().endswith(".zip"):
        return dict(_of_zip(data, path, limits))
    found: dict[str, Callable[[], bytes]] = {}
    for name, part in _attached(_message(data, path), 1):
        found[name if name not in found else f"{len(found) + 1} {name}"] = part
    return found


def _of_zip(data: bytes, path: str, limits: Limits) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Hidden files, and names that lead out of the folder, are passed over."""
    archive = open_zip(data, path=path, limits=limits)
    for item in archive.infolist():
        name = item.filename
        # In the encoding of the machine that it is from.
        if not item.flag_bits & _UTF8_NAME and not name.isascii():
            with suppress(UnicodeError, ParseError):
                name = decode(item.filename.encode("cp437"), path=path)
        parts = one_line(name.replace("\\", "/")).split("/")
        if not item.is_dir() and not any(
            part.startswith((".", "~$", "__MACOSX")) or not part for part in parts
        ):
            yield "/".join(parts), lambda item=item: archive.read(item)  # type: ignore[misc]


def _message(data: bytes, path: str) -> EmailMessage:
    if path.lower().endswith(".msg"):
        from olefile import OleFileIO
        from oxmsg.storage import Storage

        try:
            with OleFileIO(data) as file:
                folder = Storage.from_ole(file)
            return _sent(folder, 1)
        except (ValueError, KeyError, AssertionError, OSError, LookupError) as error:
            why = f"no message of Outlook, or a damaged one ({error})."
            raise ParseError(f"{path}: {why}", "corrupt") from error
    message = email.message_from_bytes(data, policy=email.policy.default)
    if not any(message[name] for name in _HEADERS):
        raise ParseError(f"{path}: no mail: it has no headers.", "corrupt")
    return message


def _sent(folder: Any, deep: int) -> EmailMessage:
    """A message of Outlook as a mail that was sent; one that is attached to it lies in a folder below."""
    from oxmsg import Message

    message, mail = Message(folder), EmailMessage(email.policy.compat32)
    day, said = message.sent_date, message.properties.str_prop_value
    sent = day and f"{day:%Y-%m-%d %H:%M} UTC"
    values = (message.sender, said(_SHOWN_TO), said(_SHOWN_CC), sent, message.subject)
    body, page = message.body, message.html_body
    for name, value in zip(_HEADERS, values, strict=True):
        if value:
            mail[name] = one_line(value.replace("\0", ""))
    mail.policy = email.policy.default
    mail.set_content(page, subtype="html") if page and not body else mail.set_content(body or "")
    for part, place in zip(message.attachments, folder.iter_attachment_storages(), strict=True):
        within = next((one for one in place.storages if one.name.endswith(_MESSAGE)), None)
        if within is not None and deep < _DEEPEST:
            mail.add_attachment(_sent(_with_head(within), deep + 1))
            continue
        name = part.file_name or "attachment"
        mail.add_attachment(part.file_bytes or b"", "application", "octet-stream", filename=name)
    return mail


def _with_head(folder: Any) -> Any:
    """The folder of a message within another, its properties behind a head as long as that of a file's."""
    streams = (
        replace(one, bytes_=one.bytes_[:24] + bytes(8) + one.bytes_[24:]) if one.name == _PROPERTIES else one
        for one in folder.streams
    )
    return replace(folder, streams=tuple(streams))


def _attached(message: Any, deep: int) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The files attached to a mail, and to those attached to it."""
    for part in message.iter_attachments():
        # An image in the words of the mail is none.
        shown = part.get_content_maintype() == "image" and not part.is_attachment()
        if part.get_content_type() == "message/rfc822" and deep < _DEEPEST:
            yield from _attached(part.get_content(), deep + 1)
        elif (name := one_line(part.get_filename() or "").replace("/", "_")) and not shown:
            yield name, lambda part=part: part.get_payload(decode=True) or b""  # type: ignore[misc]


def _write(message: Any, builder: TextBuilder, deep: int) -> None:
    """The headers, the words, and the mails that are attached; other files are named."""
    builder.heading(message["Subject"] or "", deep)
    for name in _HEADERS[:-1]:
        if message[name]:
            builder.paragraph(f"{name}: {message[name]}")
    if (body := message.get_body(("plain", "html"))) is not None:
        _words(body, builder, html.pictures_of(message))
    for part in message.iter_attachments():
        if part.get_content_type() == "message/rfc822" and deep < _DEEPEST:
            _write(part.get_content(), builder, deep + 1)
        elif part.get_content_type() in ("text/plain", "text/html") and not part.get_filename():
            _words(part, builder, html.pictures_of(message))


def _words(part: Any, builder: TextBuilder, pictures: html.Pictures) -> None:
    with suppress(LookupError, ParseError):  # an encoding that nobody knows, bytes that are no text
        data = part.get_payload(decode=True)
        charset = part.get_content_charset()
        text = data.decode(charset, errors="replace") if charset else decode(data, path="")
        if part.get_content_subtype() == "html":
            html.write(text, builder, pictures)
        else:
            plain.add_lines(builder, without_signs(text).splitlines())
