/**
 * The files of a package while somebody edits them. A value: every change makes a new workspace, so that "is anything
 * unsaved" and "what would be deployed" are questions to one value.
 */

import { contentOf, type Entry, isFolder, isLink, newEntry, renamed } from '../../archive/archive.ts';

export interface SourceFile {
  readonly name: string;
  /** What the package had; absent for a new file. */
  readonly base?: Entry;
  /** Text that was typed, instead of the package's content. */
  readonly text?: string;
  /** Bytes of a file that was dropped in. */
  readonly bytes?: Uint8Array;
}

export interface Workspace {
  readonly files: readonly SourceFile[];
  /** Entries of the package as deployed. */
  readonly deployed: readonly Entry[];
}

/** A name that a package cannot have, in the console's own words for it. */
export type NameProblem = 'nameEmpty' | 'nameTaken' | 'nameBad';

/** Why a file is only shown, not edited. */
export type ReadOnlyReason = 'fileBinary' | 'fileLarge' | 'fileLink' | 'fileUnreadable';

const LARGEST_TEXT = 1_000_000;

export function openWorkspace(entries: readonly Entry[]): Workspace {
  return { deployed: entries, files: entries.map((base) => ({ name: base.name, base })) };
}

export function find(workspace: Workspace, name: string): SourceFile | undefined {
  return workspace.files.find((file) => file.name === name);
}

export function isFolderName(name: string): boolean {
  return name.endsWith('/');
}

/** The content in bytes, as it would be deployed. */
export function bytesOf(file: SourceFile): Uint8Array {
  if (file.text !== undefined) return new TextEncoder().encode(file.text);
  return file.bytes ?? (file.base ? contentOf(file.base) : new Uint8Array());
}

/** Text to edit, or the reason why there is none. */
export function readText(file: SourceFile): { readonly text: string } | { readonly reason: ReadOnlyReason } {
  if (file.text !== undefined) return { text: file.text };
  if (file.base && isLink(file.base)) return { reason: 'fileLink' };
  if ((file.bytes?.length ?? file.base?.size ?? 0) > LARGEST_TEXT) return { reason: 'fileLarge' };
  let bytes: Uint8Array;
  try {
    bytes = bytesOf(file);
  } catch {
    // A compression that the browser does not know, or a broken entry: it is kept as it is.
    return { reason: 'fileUnreadable' };
  }
  if (bytes.includes(0)) return { reason: 'fileBinary' };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    // Not UTF-8: an editor would not give back the same bytes.
    return { reason: 'fileBinary' };
  }
}

/** Typing the package's own text again is no change: the mark goes away. */
export function edit(workspace: Workspace, name: string, text: string): Workspace {
  const typed = (file: SourceFile): SourceFile => {
    const { text: _, ...untouched } = file;
    const before = untouched.base || untouched.bytes ? readText(untouched) : undefined;
    return before && 'text' in before && before.text === text ? untouched : { ...file, text };
  };
  return { ...workspace, files: workspace.files.map((file) => (file.name === name ? typed(file) : file)) };
}

export function add(workspace: Workspace, name: string, content: string | Uint8Array = ''): Workspace {
  const file: SourceFile =
    typeof content === 'string' ? { name, text: content } : { name, bytes: content, base: find(workspace, name)?.base };
  const others = workspace.files.filter((known) => known.name !== name);
  return { ...workspace, files: [...others, file] };
}

/** A folder needs an entry of its own only while nothing is in it; a package may well have none. */
export function addFolder(workspace: Workspace, name: string): Workspace {
  return add(workspace, `${name.replace(/\/+$/, '')}/`);
}

/** Renames a file, or a folder (a name that ends in `/`) with all that is in it. */
export function rename(workspace: Workspace, from: string, to: string): Workspace {
  const moved = (name: string) => (name === from ? to : to + name.slice(from.length));
  return {
    ...workspace,
    files: workspace.files.map((file) => (isUnder(file.name, from) ? { ...file, name: moved(file.name) } : file)),
  };
}

export function remove(workspace: Workspace, name: string): Workspace {
  return { ...workspace, files: workspace.files.filter((file) => !isUnder(file.name, name)) };
}

function isUnder(name: string, what: string): boolean {
  return name === what || (isFolderName(what) && name.startsWith(what));
}

export function problemOfName(workspace: Workspace, name: string): NameProblem | undefined {
  const bare = name.replace(/\/$/, '');
  if (!bare) return 'nameEmpty';
  const parts = bare.split('/');
  if (/[\\\0]/.test(bare) || parts.some((part) => part === '' || part === '.' || part === '..')) return 'nameBad';
  const taken = workspace.files.some(
    (file) =>
      file.name === bare ||
      file.name.startsWith(`${bare}/`) ||
      parts.slice(0, -1).some((_, depth) => parts.slice(0, depth + 1).join('/') === file.name),
  );
  return taken ? 'nameTaken' : undefined;
}

export function isChanged(file: SourceFile): boolean {
  return file.text !== undefined || file.bytes !== undefined || file.base?.name !== file.name;
}

/** Whether a deploy would change anything. */
export function isDirty(workspace: Workspace): boolean {
  return workspace.files.length !== workspace.deployed.length || workspace.files.some(isChanged);
}

/** The entries to deploy: what was not touched is the very entry that was read. */
export function entriesOf(workspace: Workspace): Entry[] {
  return workspace.files.map((file) => {
    if (file.text !== undefined || file.bytes !== undefined || !file.base) {
      return newEntry(file.name, isFolderName(file.name) ? new Uint8Array() : bytesOf(file), file.base);
    }
    return file.base.name === file.name ? file.base : renamed(file.base, file.name);
  });
}

/** The same files after a deploy: nothing is unsaved. */
export function deployed(workspace: Workspace, entries: readonly Entry[]): Workspace {
  const saved = new Map(entries.map((entry) => [entry.name, entry]));
  return {
    deployed: entries,
    files: workspace.files.map(({ name }) => ({ name, base: saved.get(name) })),
  };
}

export interface TreeNode {
  /** Full name; of a folder with a `/` at its end. */
  readonly name: string;
  readonly label: string;
  readonly children?: readonly TreeNode[];
}

/** Files as a tree, folders first, both by name. */
export function treeOf(files: readonly SourceFile[]): TreeNode[] {
  interface Growing {
    folders: Map<string, Growing>;
    files: TreeNode[];
  }
  const grow = (): Growing => ({ folders: new Map(), files: [] });
  const root = grow();
  for (const { name } of files) {
    const parts = name.split('/');
    const label = parts.pop() ?? '';
    let at = root;
    for (const part of parts) {
      let next = at.folders.get(part);
      if (next === undefined) {
        next = grow();
        at.folders.set(part, next);
      }
      at = next;
    }
    if (label) at.files.push({ name, label });
  }
  const byLabel = (a: TreeNode, b: TreeNode) => a.label.localeCompare(b.label);
  const settle = (node: Growing, prefix: string): TreeNode[] => [
    ...[...node.folders]
      .map(([label, inner]) => ({ name: `${prefix}${label}/`, label, children: settle(inner, `${prefix}${label}/`) }))
      .sort(byLabel),
    ...node.files.sort(byLabel),
  ];
  return settle(root, '');
}

/** The file to open first: the one that the handler names, or else the first that can be read. */
export function firstFile(workspace: Workspace, handler: string | undefined): string | undefined {
  const stem = handler?.split('.').slice(0, -1).join('/');
  const named = workspace.files.find((file) => file.name === `${stem}.py` || file.name === handler);
  const readable = (file: SourceFile) => !(file.base && isFolder(file.base)) && 'text' in readText(file);
  return (named ?? workspace.files.find(readable))?.name;
}
