import { describe, expect, it } from 'vitest';
import {
  contentOf,
  type Entry,
  isFolder,
  isLink,
  modeOf,
  newEntry,
  readArchive,
  renamed,
  UnreadableArchive,
  writeArchive,
} from '../src/archive/archive.ts';
import { crc32 } from '../src/archive/crc32.ts';
import made from './archive_made_by_python.json' with { type: 'json' };

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (entry: Entry) => new TextDecoder().decode(contentOf(entry));

/** Made by Python's zipfile: text, a folder, an executable, a link, a binary, a stored file, streamed with descriptors. */
const archive = Uint8Array.from(Buffer.from(made.zip, 'base64'));
const entries = readArchive(archive);
const named = (name: string, list = entries) => {
  const found = list.find((entry) => entry.name === name);
  if (!found) throw new Error(`no entry ${name}`);
  return found;
};

describe('crc32', () => {
  it('is the checksum of the standard check value', () => {
    expect(crc32(bytes('123456789'))).toBe(0xcbf43926);
  });
});

describe('readArchive', () => {
  it('lists names, kinds and modes', () => {
    expect(entries.map((entry) => entry.name)).toEqual(made.names);
    expect(isFolder(named('pkg/'))).toBe(true);
    expect(isLink(named('link.py'))).toBe(true);
    expect(modeOf(named('run.sh')) & 0o777).toBe(0o755);
  });

  it('reads deflated and stored contents', () => {
    expect(text(named('app.py'))).toBe(made.app);
    expect(text(named('stored.txt'))).toBe('stored');
    expect(contentOf(named('pkg/data.bin'))).toEqual(Uint8Array.from({ length: 256 }, (_, index) => index));
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['text', bytes('this is not a zip archive, it is only long enough to be one')],
    ['half an archive', archive.subarray(0, archive.length / 2)],
    ['an archive without its beginning', archive.subarray(60)],
  ])('refuses %s', (_, broken) => {
    expect(() => readArchive(broken)).toThrow(UnreadableArchive);
  });
});

describe('writeArchive', () => {
  it('keeps untouched entries byte for byte', () => {
    const edited = entries.map((entry) => (entry.name === 'app.py' ? newEntry('app.py', bytes('new'), entry) : entry));
    const again = readArchive(writeArchive(edited));
    expect(again.map((entry) => entry.name)).toEqual(made.names);
    for (const entry of entries.filter((known) => known.name !== 'app.py')) {
      const kept = named(entry.name, again);
      expect(Buffer.compare(kept.data, entry.data)).toBe(0);
      expect({ ...kept, flags: kept.flags | 8 }).toEqual({ ...entry, flags: entry.flags | 8 });
    }
    expect(text(named('app.py', again))).toBe('new');
    expect(modeOf(named('app.py', again))).toBe(modeOf(named('app.py')));
  });

  it('gives a new file a mode that the function can read', () => {
    const [entry] = readArchive(writeArchive([newEntry('a/new.py', bytes('x = 1\n'.repeat(99)))]));
    expect(entry && modeOf(entry)).toBe(0o100644);
    expect(entry && text(entry)).toBe('x = 1\n'.repeat(99));
  });

  it('renames without touching content or mode', () => {
    const [entry] = readArchive(writeArchive([renamed(named('run.sh'), 'bin/ñandú.sh')]));
    expect(entry?.name).toBe('bin/ñandú.sh');
    expect(entry && text(entry)).toBe(text(named('run.sh')));
    expect(entry && modeOf(entry) & 0o777).toBe(0o755);
  });

  it('writes an empty archive that can be read', () => {
    expect(readArchive(writeArchive([]))).toEqual([]);
  });
});
