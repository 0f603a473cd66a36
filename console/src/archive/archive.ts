/**
 * Zip archives that keep what nobody touched: an entry that was not edited is written with the very bytes, modes, times
 * and extra fields that it was read with. Format: PKWARE APPNOTE.TXT, sections 4.3 and 4.4.
 */

import { deflateSync, inflateSync } from 'fflate';
import { crc32 } from './crc32.ts';

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_SIZE = 22;
const LOCAL_SIZE = 30;
const CENTRAL_SIZE = 46;
const LONGEST_COMMENT = 0xffff;

const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
const HAS_DESCRIPTOR = 1 << 3;
const NAME_IS_UTF8 = 1 << 11;

const UNIX = 3;
const TYPE_MASK = 0o170000;
const LINK = 0o120000;
const NEW_FILE_MODE = 0o100644;
/** 1980-01-01 00:00, so that the same files always make the same package. */
const NEW_FILE_DATE = 0x0021;

/** Why a package is not a zip that can be edited here. */
export class UnreadableArchive extends Error {}

export interface Entry {
  readonly name: string;
  /** Of the content, in bytes. */
  readonly size: number;
  readonly crc: number;
  readonly method: number;
  readonly flags: number;
  readonly versionMadeBy: number;
  readonly versionNeeded: number;
  readonly time: number;
  readonly date: number;
  readonly internalAttributes: number;
  readonly externalAttributes: number;
  readonly nameBytes: Uint8Array;
  readonly localExtra: Uint8Array;
  readonly centralExtra: Uint8Array;
  readonly comment: Uint8Array;
  /** As stored, compressed or not. */
  readonly data: Uint8Array;
}

export function isFolder(entry: Entry): boolean {
  return entry.name.endsWith('/');
}

/** POSIX mode bits, 0 if the archive was not made on a system that has them. */
export function modeOf(entry: Entry): number {
  return entry.versionMadeBy >> 8 === UNIX ? entry.externalAttributes >>> 16 : 0;
}

export function isLink(entry: Entry): boolean {
  return (modeOf(entry) & TYPE_MASK) === LINK;
}

/** Reads the list of entries; contents stay compressed. Throws UnreadableArchive. */
export function readArchive(bytes: Uint8Array): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return readEntries(bytes, view);
  } catch (error) {
    if (error instanceof RangeError) throw new UnreadableArchive('The archive ends too early.');
    throw error;
  }
}

function readEntries(bytes: Uint8Array, view: DataView): Entry[] {
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff) throw new UnreadableArchive('The archive is a zip64 archive.');
  const entries: Entry[] = [];
  for (let index = 0; index < count; index++) {
    if (view.getUint32(at, true) !== CENTRAL) throw new UnreadableArchive('The archive has no readable directory.');
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const commentLength = view.getUint16(at + 32, true);
    const nameAt = at + CENTRAL_SIZE;
    const flags = view.getUint16(at + 8, true);
    if (flags & ENCRYPTED) throw new UnreadableArchive('The archive is encrypted.');
    const local = view.getUint32(at + 42, true);
    const compressedSize = view.getUint32(at + 20, true);
    if (view.getUint32(local, true) !== LOCAL) throw new UnreadableArchive('An entry of the archive is not readable.');
    const localNameLength = view.getUint16(local + 26, true);
    const localExtraLength = view.getUint16(local + 28, true);
    const dataAt = local + LOCAL_SIZE + localNameLength + localExtraLength;
    if (dataAt + compressedSize > bytes.length) throw new UnreadableArchive('The archive ends too early.');
    const nameBytes = bytes.subarray(nameAt, nameAt + nameLength);
    entries.push({
      name: new TextDecoder().decode(nameBytes),
      size: view.getUint32(at + 24, true),
      crc: view.getUint32(at + 16, true),
      method: view.getUint16(at + 10, true),
      flags,
      versionMadeBy: view.getUint16(at + 4, true),
      versionNeeded: view.getUint16(at + 6, true),
      time: view.getUint16(at + 12, true),
      date: view.getUint16(at + 14, true),
      internalAttributes: view.getUint16(at + 36, true),
      externalAttributes: view.getUint32(at + 38, true),
      nameBytes,
      localExtra: bytes.subarray(dataAt - localExtraLength, dataAt),
      centralExtra: bytes.subarray(nameAt + nameLength, nameAt + nameLength + extraLength),
      comment: bytes.subarray(nameAt + nameLength + extraLength, nameAt + nameLength + extraLength + commentLength),
      data: bytes.subarray(dataAt, dataAt + compressedSize),
    });
    at = nameAt + nameLength + extraLength + commentLength;
  }
  return entries;
}

function findEnd(view: DataView): number {
  const lowest = Math.max(0, view.byteLength - END_SIZE - LONGEST_COMMENT);
  for (let at = view.byteLength - END_SIZE; at >= lowest; at--) {
    if (view.getUint32(at, true) === END) return at;
  }
  throw new UnreadableArchive('This is not a zip archive.');
}

/** The content of an entry. Throws UnreadableArchive for a compression that is not known here. */
export function contentOf(entry: Entry): Uint8Array {
  if (entry.method === STORED) return entry.data;
  if (entry.method !== DEFLATED) {
    throw new UnreadableArchive(`${entry.name} is compressed by the unknown method ${entry.method}.`);
  }
  return inflateSync(entry.data, { out: new Uint8Array(entry.size) });
}

/** A new file; `like` is the entry it replaces, whose mode and attributes it takes over. */
export function newEntry(name: string, content: Uint8Array, like?: Entry): Entry {
  const deflated = deflateSync(content, { level: 9 });
  const smaller = deflated.length < content.length;
  return {
    name,
    nameBytes: new TextEncoder().encode(name),
    size: content.length,
    crc: crc32(content),
    method: smaller ? DEFLATED : STORED,
    flags: NAME_IS_UTF8,
    versionMadeBy: like?.versionMadeBy ?? (UNIX << 8) | 20,
    versionNeeded: 20,
    time: like?.time ?? 0,
    date: like?.date ?? NEW_FILE_DATE,
    internalAttributes: 0,
    externalAttributes: like?.externalAttributes ?? (NEW_FILE_MODE << 16) >>> 0,
    localExtra: new Uint8Array(),
    centralExtra: new Uint8Array(),
    comment: like?.comment ?? new Uint8Array(),
    data: smaller ? deflated : content,
  };
}

/** The same entry under another name: content, mode and times stay. */
export function renamed(entry: Entry, name: string): Entry {
  const nameBytes = new TextEncoder().encode(name);
  return { ...entry, name, nameBytes, flags: entry.flags | NAME_IS_UTF8 };
}

/** Entries in their order as an archive. */
export function writeArchive(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const localSizes = entries.map(
    (entry) => LOCAL_SIZE + entry.nameBytes.length + entry.localExtra.length + entry.data.length,
  );
  const centralSizes = entries.map(
    (entry) => CENTRAL_SIZE + entry.nameBytes.length + entry.centralExtra.length + entry.comment.length,
  );
  const directory = sum(localSizes);
  const bytes = new Uint8Array(directory + sum(centralSizes) + END_SIZE);
  const view = new DataView(bytes.buffer);
  let local = 0;
  let central = directory;
  for (const [index, entry] of entries.entries()) {
    writeLocal(bytes, view, local, entry);
    writeCentral(bytes, view, central, entry, local);
    local += localSizes[index] ?? 0;
    central += centralSizes[index] ?? 0;
  }
  view.setUint32(central, END, true);
  view.setUint16(central + 8, entries.length, true);
  view.setUint16(central + 10, entries.length, true);
  view.setUint32(central + 12, central - directory, true);
  view.setUint32(central + 16, directory, true);
  return bytes;
}

function writeLocal(bytes: Uint8Array, view: DataView, at: number, entry: Entry): void {
  view.setUint32(at, LOCAL, true);
  writeCommon(view, at + 4, entry);
  view.setUint16(at + 28, entry.localExtra.length, true);
  bytes.set(entry.nameBytes, at + LOCAL_SIZE);
  bytes.set(entry.localExtra, at + LOCAL_SIZE + entry.nameBytes.length);
  bytes.set(entry.data, at + LOCAL_SIZE + entry.nameBytes.length + entry.localExtra.length);
}

function writeCentral(bytes: Uint8Array, view: DataView, at: number, entry: Entry, local: number): void {
  view.setUint32(at, CENTRAL, true);
  view.setUint16(at + 4, entry.versionMadeBy, true);
  writeCommon(view, at + 6, entry);
  view.setUint16(at + 30, entry.centralExtra.length, true);
  view.setUint16(at + 32, entry.comment.length, true);
  view.setUint16(at + 36, entry.internalAttributes, true);
  view.setUint32(at + 38, entry.externalAttributes, true);
  view.setUint32(at + 42, local, true);
  const nameAt = at + CENTRAL_SIZE;
  bytes.set(entry.nameBytes, nameAt);
  bytes.set(entry.centralExtra, nameAt + entry.nameBytes.length);
  bytes.set(entry.comment, nameAt + entry.nameBytes.length + entry.centralExtra.length);
}

/** The 24 bytes that both headers share, from "version needed" to the length of the name. */
function writeCommon(view: DataView, at: number, entry: Entry): void {
  view.setUint16(at, entry.versionNeeded, true);
  // Sizes stand in the header now, whoever wrote the archive first: no descriptor follows the data.
  view.setUint16(at + 2, entry.flags & ~HAS_DESCRIPTOR, true);
  view.setUint16(at + 4, entry.method, true);
  view.setUint16(at + 6, entry.time, true);
  view.setUint16(at + 8, entry.date, true);
  view.setUint32(at + 10, entry.crc, true);
  view.setUint32(at + 14, entry.data.length, true);
  view.setUint32(at + 18, entry.size, true);
  view.setUint16(at + 22, entry.nameBytes.length, true);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
