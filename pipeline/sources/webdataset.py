"""WebDataset tar shards: members with one key belong together; images are read later as ranges of the shard."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pipeline.errors import SourceError
from pipeline.records import Record
from pipeline.sources.ahead import in_order
from pipeline.sources.objects import Found, find_objects, listing_errors
from pipeline.sources.patterns import set_aside
from pipeline.sources.spec import LeftOut, OnIgnored, SourceSpec
from pipeline.sources.tar_headers import BoundedHeaders
from pipeline.sources.values import jsonable

COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tar.lz4")
TEXT_SUFFIXES = ("txt", "cls")

# Read ahead of each header. A larger block costs bytes that are skipped, a smaller one a request for each member.
HEADER_BLOCK = 128 * 2**10
MAX_METADATA_BYTES = 2**20
# GNU tar pads an archive to 20 blocks; more than that behind the end mark is looked at.
PADDING_BYTES = 20 * tarfile.BLOCKSIZE


@dataclass
class _Sample:
    """Members that share a WebDataset key, as they come."""

    key: str
    images: list[Record] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)


def list_webdataset(spec: SourceSpec, ignored: OnIgnored) -> Iterator[Record]:
    """Records of tar shards (one tar, a prefix, a glob), shard by shard, in the order of their members.

    A member's key is its path up to the first dot of the base name (WebDataset convention); members that follow each
    other with one key are a sample. Its images become records, each with its path in the shard as its key; its `.json`
    and its `.txt` and `.cls` texts become their metadata. Only headers and those texts are fetched.

    A shard that breaks off, or is no tar, gives the records found so far and one record whose problem names the shard.

    Raises:
        SourceError: nothing is there, or shards are compressed as a whole: ranges of those cannot be read.
        StorageError: storage refused or did not answer.
    """
    if "{" in spec.uri and ".." in spec.uri:
        raise SourceError(f"{spec.uri}: braces are not expanded; write a glob such as `shard-*.tar`")
    shards = find_objects(spec, (".tar", *COMPRESSED), ignored)
    for found in in_order(partial(_list_shard, _plain(shard), spec.image_suffixes) for shard in shards):
        if isinstance(found, LeftOut):
            ignored(found.name, found.reason)
        else:
            yield found


def _plain(shard: Found) -> Found:
    """The shard, unless it is compressed as a whole."""
    if shard.name.lower().endswith(COMPRESSED):
        raise SourceError(
            f"{shard.uri}: a compressed tar cannot be read member by member; unpack it to a plain .tar "
            "(images hardly shrink by it), or exclude it with `source.exclude`"
        )
    return shard


def _list_shard(shard: Found, image_suffixes: tuple[str, ...]) -> Iterator[Record | LeftOut]:
    if shard.problem:
        yield Record(shard.name, shard.uri, shard.version, size=shard.size, problem=shard.problem)
        return
    with listing_errors(shard.uri):
        yield from _list_members(shard, image_suffixes)


def _list_members(shard: Found, image_suffixes: tuple[str, ...]) -> Iterator[Record | LeftOut]:
    sample = _Sample("")
    with shard.fs.open(shard.path, "rb", block_size=HEADER_BLOCK, cache_type="readahead") as file:
        sorter = _Sorter(shard, file, image_suffixes)
        fault = ""
        try:
            headers = BoundedHeaders(file)
            with tarfile.open(fileobj=headers, mode="r:") as tar:  # type: ignore[call-overload] # wants all of IO
                for member in _members(tar):
                    headers.next_member()
                    key = _sample_key(_name(member))
                    if key != sample.key:
                        yield from _finish(sample, shard)
                        sample = _Sample(key)
                    sorter.take(member, sample)
                fault = _after_last(file, tar.offset, shard.size)
        except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
            fault = str(error) or type(error).__name__
        yield from _finish(sample, shard)
        if fault:
            yield _broken(shard, fault)


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members in order, none kept: tarfile would otherwise hold them all."""
    last = -1
    while (member := tar.next()) is not None:
        tar.members = []  # type: ignore[attr-defined] # a public attribute that the stubs leave out
        if member.offset <= last:
            raise tarfile.ReadError("a header points backwards")
        last = member.offset
        yield member


def _name(member: tarfile.TarInfo) -> str:
    name = member.name
    while name.startswith("./"):
        name = name[2:]
    return name


def _sample_key(name: str) -> str:
    folder, slash, base = name.rpartition("/")
    return folder + slash + base.split(".", 1)[0]


@dataclass(frozen=True)
class _Sorter:
    """Puts the members of a shard where they belong in their samples."""

    shard: Found
    file: Any
    image_suffixes: tuple[str, ...]

    def take(self, member: tarfile.TarInfo, sample: _Sample) -> None:
        """Add one member to its sample, or report it as no part of one."""
        if member.isdir():
            return
        name = _name(member)
        place = f"{self.shard.name}:{name}"
        suffix = name.rsplit("/", 1)[-1].partition(".")[2].lower()
        if reason := set_aside(name):
            sample.left_out.append(LeftOut(place, reason))
        elif name.lower().endswith(self.image_suffixes):
            sample.images.append(_image(member, name, self.shard))
        elif not member.isreg() or member.issparse():
            sample.left_out.append(LeftOut(place, "not a file"))
        elif suffix not in {"json", *TEXT_SUFFIXES}:
            sample.left_out.append(LeftOut(place, "not an image"))
        elif (added := _metadata(suffix, _text(member, self.file))) is not None:
            sample.metadata.update(added)
        else:
            sample.left_out.append(LeftOut(place, "unreadable metadata"))


def _image(member: tarfile.TarInfo, name: str, shard: Found) -> Record:
    problem = ""
    if member.size < 0:
        problem = f"bad_member: its header in {shard.name} states a size of {member.size}; write the shard again"
    elif not member.isreg():
        problem = f"link_member: it is a link or a device in {shard.name} and has no bytes there; store it as a file"
    elif member.issparse():
        problem = f"sparse_member: it is stored with holes in {shard.name}; write the tar without --sparse"
    elif member.offset_data + member.size > shard.size:
        problem = (
            f"truncated_member: {shard.name} ends {member.offset_data + member.size - shard.size:,} bytes before "
            "the member does; write or copy the shard again"
        )
    size = min(max(member.size, 0), shard.size)
    return Record(name, shard.uri, shard.version, size=size, offset=member.offset_data, problem=problem)


def _text(member: tarfile.TarInfo, file: Any) -> str | None:
    if not 0 <= member.size <= MAX_METADATA_BYTES:
        return None
    file.seek(member.offset_data)
    data = file.read(member.size)
    try:
        return bytes(data).decode("utf-8-sig") if len(data) == member.size else None
    except UnicodeDecodeError:
        return None


def _metadata(suffix: str, text: str | None) -> dict[str, Any] | None:
    """What a text member says: an object's keys, else the value under the suffix; None where it cannot be read."""
    if text is None:
        return None
    if suffix != "json":
        return {suffix: text.strip()}
    try:
        value = jsonable(json.loads(text))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else {suffix: value}


def _finish(sample: _Sample, shard: Found) -> Iterator[Record | LeftOut]:
    yield from sample.left_out
    if sample.metadata and not sample.images:
        yield LeftOut(f"{shard.name}:{sample.key}", "metadata without an image")
    for record in sample.images:
        yield replace(record, metadata=dict(sample.metadata)) if sample.metadata else record


def _after_last(file: Any, offset: int, size: int) -> str:
    """What is wrong behind the last member; tarfile takes any block that is no header for the archive's end."""
    file.seek(offset)
    block = bytes(file.read(tarfile.BLOCKSIZE))
    if len(block) < tarfile.BLOCKSIZE:
        return "it ends without the end-of-archive mark"
    if any(block):
        return f"the header at byte {offset:,} is damaged"
    if size - offset > PADDING_BYTES + tarfile.BLOCKSIZE and any(bytes(file.read(PADDING_BYTES))):
        return f"more data follows the end-of-archive mark at byte {offset:,}, as when tars are joined with `cat`"
    return ""


def _broken(shard: Found, fault: str) -> Record:
    return Record(
        shard.name,
        shard.uri,
        shard.version,
        size=shard.size,
        problem=f"broken_shard: {shard.uri}: {fault}; members behind that are not seen; write or copy the shard again",
    )
