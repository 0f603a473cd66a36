import { indentWithTab } from '@codemirror/commands';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { python } from '@codemirror/lang-python';
import { indentUnit } from '@codemirror/language';
import { linter } from '@codemirror/lint';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { oneDark } from '@codemirror/theme-one-dark';
import { EditorView, keymap } from '@codemirror/view';
import { basicSetup } from 'codemirror';
import { useEffect, useRef } from 'react';
import { currentLanguage } from '../../language/language.ts';
import { useNarrow } from '../../shell/narrow.ts';
import { useDark } from '../../shell/theme.ts';
import { SPANISH } from './editorPhrases.ts';

export interface Spot {
  readonly line: number;
}

interface Props {
  /** Each file keeps its own history and selection. */
  readonly file: string;
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly ariaLabel: string;
  /** Ctrl-S, or Cmd-S on a Mac. */
  readonly onSave?: () => void;
  /** Ctrl-Enter, or Cmd-Enter on a Mac. */
  readonly onRun?: () => void;
  readonly readOnly?: boolean;
  /** A line to go to; a new object goes there again. */
  readonly spot?: Spot;
  readonly minHeight?: string;
}

/** The nonce of this page's content policy: the editor makes its style sheet while it runs. */
function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name=nonce]')?.nonce ?? '';
}

/** Lines end as the file has them, so that one edited line changes no other. A mixture keeps its carriage returns. */
function lineBreakOf(text: string): string {
  return text.includes('\r\n') && !/(^|[^\r])\n/.test(text) ? '\r\n' : '\n';
}

function languageOf(file: string): Extension {
  if (file.endsWith('.py')) return [python(), indentUnit.of('    ')];
  if (file.endsWith('.json')) return [json(), linter(jsonParseLinter())];
  return [];
}

/** What the window and the system's mode decide. */
function lookOf(dark: boolean, narrow: boolean): Extension {
  // On a phone a line that leaves the screen is hard to follow.
  return [dark ? oneDark : [], narrow ? EditorView.lineWrapping : []];
}

/** CodeMirror for the page's lifetime, and one state of it for each file that was opened. */
export default function CodeMirror(props: Props) {
  const { file, text, ariaLabel, readOnly = false, spot, minHeight } = props;
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const states = useRef(new Map<string, EditorState>());
  const look = useRef(new Compartment());
  const shown = useRef(file);
  const dark = useDark();
  const narrow = useNarrow();
  // The editor is made once; what it calls is always the newest.
  const latest = useRef(props);
  latest.current = props;

  const make = useRef((name: string, content: string, label: string, fixed: boolean) =>
    EditorState.create({
      doc: content,
      extensions: [
        keymap.of([
          { key: 'Mod-s', preventDefault: true, run: () => call(latest.current.onSave) },
          { key: 'Mod-Enter', preventDefault: true, run: () => call(latest.current.onRun) },
        ]),
        basicSetup,
        // Escape and then Tab leaves the editor, as CodeMirror's own manual has it for people without a mouse.
        keymap.of([indentWithTab]),
        languageOf(name),
        EditorState.lineSeparator.of(lineBreakOf(content)),
        look.current.of([]),
        EditorState.readOnly.of(fixed),
        EditorView.cspNonce.of(nonce()),
        currentLanguage() === 'es' ? EditorState.phrases.of(SPANISH) : [],
        // It can be tabbed to anyway; tools that judge the page look for the attribute.
        EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) latest.current.onChange(update.state.sliceDoc());
        }),
      ],
    }),
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: made once; later changes are the next effects' work
  useEffect(() => {
    if (place.current === null) return;
    const state = make.current(file, text, ariaLabel, readOnly);
    const made = new EditorView({ state, parent: place.current });
    view.current = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    const editor = view.current;
    if (editor === null) return;
    if (shown.current !== file) {
      states.current.set(shown.current, editor.state);
      shown.current = file;
      const known = states.current.get(file);
      editor.setState(known && known.readOnly === readOnly ? known : make.current(file, text, ariaLabel, readOnly));
    }
    if (editor.state.sliceDoc() !== text) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
    }
    editor.dispatch({ effects: look.current.reconfigure(lookOf(dark, narrow)) });
  }, [file, text, ariaLabel, readOnly, dark, narrow]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `file` and the spot arrive together
  useEffect(() => {
    const editor = view.current;
    if (editor === null || spot === undefined) return;
    const line = editor.state.doc.line(Math.min(spot.line, editor.state.doc.lines));
    editor.dispatch({
      selection: { anchor: line.from, head: line.to },
      effects: EditorView.scrollIntoView(line.from, { y: 'center' }),
    });
    editor.focus();
  }, [file, spot]);

  return <div ref={place} className="editor" style={{ minHeight }} />;
}

function call(action: (() => void) | undefined): boolean {
  if (action === undefined) return false;
  action();
  return true;
}
