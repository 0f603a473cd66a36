import { describe, expect, it } from 'vitest';
import { contentOf, modeOf, newEntry, readArchive, writeArchive } from '../src/archive/archive.ts';
import * as ws from '../src/function/code/workspace.ts';
import made from './archive_made_by_python.json' with { type: 'json' };

const open = () => ws.openWorkspace(readArchive(Uint8Array.from(Buffer.from(made.zip, 'base64'))));
const bytes = (text: string) => new TextEncoder().encode(text);
const file = (workspace: ws.Workspace, name: string) => {
  const found = ws.find(workspace, name);
  if (!found) throw new Error(`no file ${name}`);
  return found;
};
const names = (workspace: ws.Workspace) => workspace.files.map((known) => known.name);

describe('editing', () => {
  it('marks a file until its text is what it was', () => {
    const changed = ws.edit(open(), 'app.py', 'x = 1\n');
    expect(ws.isDirty(changed)).toBe(true);
    expect(ws.isChanged(file(changed, 'app.py'))).toBe(true);
    expect(ws.isChanged(file(changed, 'run.sh'))).toBe(false);
    expect(ws.isDirty(ws.edit(changed, 'app.py', made.app))).toBe(false);
  });

  it('deploys what was typed and leaves the rest as it was', () => {
    const before = open();
    const entries = ws.entriesOf(ws.edit(before, 'app.py', 'x = 1\n'));
    for (const [index, entry] of entries.entries()) {
      if (entry.name !== 'app.py') expect(entry).toBe(before.deployed[index]);
    }
    const app = entries.find((entry) => entry.name === 'app.py');
    expect(app && new TextDecoder().decode(contentOf(app))).toBe('x = 1\n');
    expect(app && modeOf(app) & 0o777).toBe(0o640);
  });

  it('is clean after a deploy, and goes on from there', () => {
    const changed = ws.add(ws.edit(open(), 'app.py', 'x = 1\n'), 'new.py', 'y = 2\n');
    const entries = readArchive(writeArchive(ws.entriesOf(changed)));
    const after = ws.deployed(changed, entries);
    expect(ws.isDirty(after)).toBe(false);
    expect(ws.readText(file(after, 'new.py'))).toEqual({ text: 'y = 2\n' });
    expect(ws.isDirty(ws.edit(after, 'new.py', ''))).toBe(true);
  });
});

describe('reading', () => {
  it('says why a file is not edited', () => {
    const workspace = open();
    expect(ws.readText(file(workspace, 'pkg/data.bin'))).toEqual({ reason: 'fileBinary' });
    expect(ws.readText(file(workspace, 'link.py'))).toEqual({ reason: 'fileLink' });
    const latin = ws.openWorkspace([newEntry('latin.txt', Uint8Array.of(0x66, 0xfc, 0x72))]);
    expect(ws.readText(file(latin, 'latin.txt'))).toEqual({ reason: 'fileBinary' });
    const large = ws.openWorkspace([newEntry('large.txt', new Uint8Array(1_000_001).fill(0x61))]);
    expect(ws.readText(file(large, 'large.txt'))).toEqual({ reason: 'fileLarge' });
  });

  it('keeps a byte order mark', () => {
    const marked = ws.openWorkspace([newEntry('bom.py', bytes('\ufeffx = 1\n'))]);
    const read = ws.readText(file(marked, 'bom.py'));
    expect(read).toEqual({ text: '\ufeffx = 1\n' });
  });
});

describe('files and folders', () => {
  it('renames a folder with all that is in it', () => {
    const renamed = ws.rename(open(), 'pkg/', 'lib/');
    expect(names(renamed)).toContain('lib/data.bin');
    expect(names(renamed)).toContain('lib/');
    expect(ws.entriesOf(renamed).find((entry) => entry.name === 'lib/data.bin')?.crc).toBe(
      open().deployed.find((entry) => entry.name === 'pkg/data.bin')?.crc,
    );
  });

  it('removes a folder with all that is in it', () => {
    const left = ws.remove(open(), 'pkg/');
    expect(names(left)).toEqual(['app.py', 'run.sh', 'link.py', 'stored.txt']);
    expect(ws.isDirty(left)).toBe(true);
  });

  it('takes a dropped file in place of one that is there', () => {
    const dropped = ws.add(open(), 'app.py', bytes('dropped'));
    expect(ws.readText(file(dropped, 'app.py'))).toEqual({ text: 'dropped' });
    expect(names(dropped).filter((name) => name === 'app.py')).toHaveLength(1);
  });

  it('keeps an empty folder', () => {
    const [entry] = readArchive(writeArchive(ws.entriesOf(ws.addFolder(ws.openWorkspace([]), 'empty'))));
    expect(entry?.name).toBe('empty/');
  });

  it.each([
    ['', 'nameEmpty'],
    ['/', 'nameEmpty'],
    ['../up.py', 'nameBad'],
    ['a//b.py', 'nameBad'],
    ['/abs.py', 'nameBad'],
    ['back\\slash.py', 'nameBad'],
    ['app.py', 'nameTaken'],
    ['pkg', 'nameTaken'],
    ['app.py/inside.py', 'nameTaken'],
    ['pkg/other.py', undefined],
    ['ñandú.py', undefined],
  ])('judges the name %j', (name, problem) => {
    expect(ws.problemOfName(open(), name)).toBe(problem);
  });

  it('shows a tree, folders first', () => {
    const tree = ws.treeOf(ws.add(open(), 'a/deep/x.py').files);
    expect(tree.map((node) => node.label)).toEqual(['a', 'pkg', 'app.py', 'link.py', 'run.sh', 'stored.txt']);
    expect(tree[0]?.children?.[0]).toEqual({
      name: 'a/deep/',
      label: 'deep',
      children: [{ name: 'a/deep/x.py', label: 'x.py' }],
    });
  });

  it('opens the handler first', () => {
    const nested = ws.add(open(), 'pkg/main.py', '');
    expect(ws.firstFile(nested, 'pkg.main.handler')).toBe('pkg/main.py');
    expect(ws.firstFile(nested, 'gone.handler')).toBe('app.py');
  });
});
