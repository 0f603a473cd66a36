import { LambdaClient } from '@aws-sdk/client-lambda';
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { type DragEvent, lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { writeArchive } from '../../archive/archive.ts';
import { useClient } from '../../aws/clients.ts';
import { useAction, useLoad } from '../../aws/load.ts';
import { formatBytes, formatTime } from '../../language/format.ts';
import { useLanguage, useText } from '../../language/language.ts';
import { ConfirmDialog } from '../../shell/ConfirmDialog.tsx';
import { Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { TestResult } from '../test/TestResult.tsx';
import type { TestRun } from '../test/testRun.ts';
import { CodeProperties } from './CodeProperties.tsx';
import { type FileAction, FileTree } from './FileTree.tsx';
import { LayersInUse } from './LayersInUse.tsx';
import { NameDialog } from './NameDialog.tsx';
import { ChangedElsewhere, deployPackage, download, loadPackage } from './package.ts';
import { RuntimeSettings } from './RuntimeSettings.tsx';
import {
  add,
  addFolder,
  bytesOf,
  deployed,
  edit,
  entriesOf,
  find,
  firstFile,
  isChanged,
  isDirty,
  openWorkspace,
  readText,
  remove,
  rename,
  type Workspace,
} from './workspace.ts';

const CodeMirror = lazy(() => import('./CodeMirror.tsx'));

type Asking =
  | { readonly kind: 'newFile'; readonly initial: string }
  | { readonly kind: 'newFolder' }
  | { readonly kind: 'rename'; readonly name: string }
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'discard' }
  | { readonly kind: 'overwrite' };

interface Props {
  readonly test: TestRun;
  /** Runs the event of the Test tab. */
  readonly onTest: () => void;
  readonly eventName: string;
}

/** The package in an editor, and what else belongs to a function's code. */
export function CodeTab({ test, onTest, eventName }: Props) {
  const { configuration } = useFunction();
  return (
    <SpaceBetween size="l">
      <Source test={test} onTest={onTest} eventName={eventName} />
      <CodeProperties />
      {configuration.PackageType !== 'Image' && <RuntimeSettings />}
      {configuration.PackageType !== 'Image' && <LayersInUse />}
    </SpaceBetween>
  );
}

function Source(props: Props) {
  const t = useText();
  const language = useLanguage();
  const lambda = useClient(LambdaClient);
  const { name, qualifier } = useFunction();
  const load = useCallback(
    (signal: AbortSignal) => loadPackage(lambda, name, qualifier, signal),
    [lambda, name, qualifier],
  );
  const { data, error, loading, reload } = useLoad(load);
  const header = <Header variant="h2">{t('codeSource')}</Header>;
  if (error !== undefined) {
    return (
      <Container header={header}>
        <Problem error={error} retry={reload} />
      </Container>
    );
  }
  if (data === undefined || (loading && data.kind !== 'files')) {
    return (
      <Container header={header}>
        <Box textAlign="center" padding="l">
          <Spinner /> {t('loading')}
        </Box>
      </Container>
    );
  }
  if (data.kind === 'files') return <Editor key={data.sha256} {...props} source={data} onReload={reload} />;
  return (
    <Container header={header}>
      <Alert type="info" statusIconAriaLabel={t('info')}>
        {data.kind === 'image' && t('imageNotShown', { uri: data.uri })}
        {data.kind === 'unreadable' && `${t('packageUnreadable')} ${data.reason} `}
        {data.kind === 'large' && `${t('packageLarge', { size: formatBytes(data.size, language) })} `}
        {data.kind === 'unreadable' && (
          <Button variant="inline-link" onClick={() => download(`${name}.zip`, data.zip)}>
            {t('downloadPackage')}
          </Button>
        )}
        {data.kind === 'large' && <Link href={data.location}>{t('downloadPackage')}</Link>}
      </Alert>
    </Container>
  );
}

interface EditorProps extends Props {
  readonly source: Extract<Awaited<ReturnType<typeof loadPackage>>, { kind: 'files' }>;
  readonly onReload: () => void;
}

function Editor({ source, onReload, test, onTest, eventName }: EditorProps) {
  const t = useText();
  const language = useLanguage();
  const lambda = useClient(LambdaClient);
  const { name, qualifier, configuration, reload, place } = useFunction();
  const [workspace, setWorkspace] = useState<Workspace>(() => openWorkspace(source.entries));
  const [open, setOpen] = useState(() => firstFile(workspace, configuration.Handler));
  const [tabs, setTabs] = useState<readonly string[]>(open ? [open] : []);
  const [asking, setAsking] = useState<Asking | null>(null);
  const [liveSince, setLiveSince] = useState<Date | null>(null);
  const [dropping, setDropping] = useState(false);
  const sha256 = useRef(source.sha256);
  const deploying = useAction();
  const readOnly = qualifier !== undefined;
  const dirty = useMemo(() => isDirty(workspace), [workspace]);
  const file = open === undefined ? undefined : find(workspace, open);
  const content = useMemo(() => file && readText(file), [file]);

  const show = useCallback((wanted: string) => {
    setOpen(wanted);
    setTabs((before) => (before.includes(wanted) ? before : [...before, wanted]));
  }, []);

  useEffect(() => {
    if (place) show(place.file);
  }, [place, show]);

  useEffect(() => {
    if (!dirty) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [dirty]);

  const deploy = async (known: string | undefined = sha256.current) => {
    if (!dirty || deploying.busy || readOnly) return;
    const asDeployed = workspace;
    setLiveSince(null);
    await deploying.run(async () => {
      try {
        const done = await deployPackage(lambda, name, entriesOf(asDeployed), known);
        sha256.current = done.sha256;
        // What was typed while the deploy ran stays unsaved.
        setWorkspace((now) => carryOver(deployed(asDeployed, done.entries), asDeployed, now));
        setLiveSince(new Date());
        reload();
      } catch (error) {
        if (!(error instanceof ChangedElsewhere)) throw error;
        setAsking({ kind: 'overwrite' });
      }
    });
  };

  const act = (action: FileAction, wanted: string) => {
    if (action === 'newHere') setAsking({ kind: 'newFile', initial: wanted });
    else if (action === 'download') {
      const found = find(workspace, wanted);
      if (found) download(wanted.split('/').at(-1) ?? wanted, new Blob([bytesOf(found).slice()]));
    } else setAsking({ kind: action, name: wanted });
  };

  const drop = async (event: DragEvent) => {
    event.preventDefault();
    setDropping(false);
    if (readOnly) return;
    for (const dropped of event.dataTransfer.files) {
      const bytes = new Uint8Array(await dropped.arrayBuffer());
      setWorkspace((before) => add(before, dropped.name, bytes));
      show(dropped.name);
    }
  };

  const close = (wanted: string) => {
    const left = tabs.filter((tab) => tab !== wanted);
    setTabs(left);
    if (open === wanted) setOpen(left.at(-1));
  };

  return (
    <SpaceBetween size="l">
      <Container
        disableContentPaddings
        header={
          <Header
            variant="h2"
            description={
              deploying.busy ? (
                <StatusIndicator type="in-progress">{t('deploying')}</StatusIndicator>
              ) : dirty ? (
                <StatusIndicator type="warning">{t('unsaved')}</StatusIndicator>
              ) : liveSince ? (
                <StatusIndicator type="success">{t('live', { time: formatTime(liveSince, language) })}</StatusIndicator>
              ) : readOnly ? (
                t('versionReadOnly', { version: qualifier })
              ) : (
                t('codeIntro')
              )
            }
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <ButtonDropdown
                  items={[
                    { id: 'file', text: t('newFile'), disabled: readOnly },
                    { id: 'folder', text: t('newFolder'), disabled: readOnly },
                    { id: 'download', text: t('downloadPackage') },
                    { id: 'reload', text: t('discard'), disabled: !dirty },
                  ]}
                  onItemClick={({ detail }) => {
                    if (detail.id === 'file') setAsking({ kind: 'newFile', initial: '' });
                    else if (detail.id === 'folder') setAsking({ kind: 'newFolder' });
                    else if (detail.id === 'reload') setAsking({ kind: 'discard' });
                    else download(`${name}.zip`, dirty ? new Blob([writeArchive(entriesOf(workspace))]) : source.zip);
                  }}
                >
                  {t('file')}
                </ButtonDropdown>
                <Button
                  iconName="caret-right-filled"
                  loading={test.running}
                  onClick={onTest}
                  ariaLabel={t('testWith', { event: eventName })}
                >
                  {t('test')}
                </Button>
                <Button
                  variant="primary"
                  disabled={!dirty || readOnly}
                  loading={deploying.busy}
                  onClick={() => deploy()}
                  ariaLabel={t('deploy')}
                >
                  {t('deploy')}
                </Button>
              </SpaceBetween>
            }
          >
            {t('codeSource')}
          </Header>
        }
      >
        {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping files is a shortcut for "new file" */}
        <div
          className={dropping ? 'workbench dropping' : 'workbench'}
          onDragOver={(event) => {
            event.preventDefault();
            setDropping(true);
          }}
          onDragLeave={() => setDropping(false)}
          onDrop={drop}
        >
          <div className="files">
            <FileTree workspace={workspace} open={open} readOnly={readOnly} onOpen={show} onAction={act} />
          </div>
          <div className="editing">
            <div className="file-tabs" role="toolbar" aria-label={t('openFiles')}>
              {tabs.map((tab) => {
                const known = find(workspace, tab);
                return (
                  <span key={tab} className={tab === open ? 'file-tab file-tab-open' : 'file-tab'}>
                    <button type="button" onClick={() => setOpen(tab)} aria-pressed={tab === open}>
                      {tab.split('/').at(-1)}
                      {known && isChanged(known) && <span title={t('notDeployed')}> ●</span>}
                    </button>
                    <button type="button" aria-label={t('closeFile', { name: tab })} onClick={() => close(tab)}>
                      ×
                    </button>
                  </span>
                );
              })}
            </div>
            {open !== undefined && content && 'text' in content ? (
              <Suspense fallback={<Box padding="l">{t('loading')}</Box>}>
                <CodeMirror
                  file={open}
                  text={content.text}
                  ariaLabel={t('editorOf', { name: open })}
                  readOnly={readOnly}
                  onChange={(text) => setWorkspace((before) => edit(before, open, text))}
                  onSave={() => deploy()}
                  spot={place?.file === open ? place : undefined}
                  minHeight="360px"
                />
              </Suspense>
            ) : (
              <Box padding="l" color="text-body-secondary">
                {content && 'reason' in content ? t(content.reason) : t('openSomething')}
              </Box>
            )}
          </div>
        </div>
        {deploying.error !== undefined && (
          <Box padding="m">
            <Problem error={deploying.error} />
          </Box>
        )}
      </Container>
      {test.result && dirty && <Alert type="warning">{t('testedOld')}</Alert>}
      {test.result && <TestResult result={test.result} />}

      {asking?.kind === 'newFile' && (
        <NameDialog
          title={t('newFile')}
          initial={asking.initial}
          workspace={workspace}
          onClose={() => setAsking(null)}
          onName={(wanted) => {
            setWorkspace((before) => add(before, wanted));
            show(wanted);
          }}
        />
      )}
      {asking?.kind === 'newFolder' && (
        <NameDialog
          title={t('newFolder')}
          initial=""
          workspace={workspace}
          onClose={() => setAsking(null)}
          onName={(wanted) => setWorkspace((before) => addFolder(before, wanted))}
        />
      )}
      {asking?.kind === 'rename' && (
        <NameDialog
          title={t('rename')}
          initial={asking.name.replace(/\/$/, '')}
          workspace={workspace}
          onClose={() => setAsking(null)}
          onName={(wanted) => {
            const to = asking.name.endsWith('/') ? `${wanted}/` : wanted;
            const moved = (tab: string) =>
              tab === asking.name || (asking.name.endsWith('/') && tab.startsWith(asking.name))
                ? to + tab.slice(asking.name.length)
                : tab;
            setWorkspace((before) => rename(before, asking.name, to));
            setTabs((before) => before.map(moved));
            if (open) setOpen(moved(open));
          }}
        />
      )}
      {asking?.kind === 'delete' && (
        <ConfirmDialog
          title={t('deleteFile', { name: asking.name })}
          action={t('delete')}
          onClose={() => setAsking(null)}
          onConfirm={async () => {
            const left = remove(workspace, asking.name);
            setWorkspace(left);
            const stay = tabs.filter((tab) => find(left, tab));
            setTabs(stay);
            if (open && !find(left, open)) setOpen(stay.at(-1));
          }}
        >
          {t('deleteFileText')}
        </ConfirmDialog>
      )}
      {asking?.kind === 'discard' && (
        <ConfirmDialog
          title={t('discard')}
          action={t('discard')}
          onClose={() => setAsking(null)}
          onConfirm={async () => {
            setWorkspace(openWorkspace(workspace.deployed));
            onReload();
          }}
        >
          {t('discardText')}
        </ConfirmDialog>
      )}
      {asking?.kind === 'overwrite' && (
        <ConfirmDialog
          title={t('changedElsewhere')}
          action={t('overwrite')}
          onClose={() => setAsking(null)}
          onConfirm={async () => {
            sha256.current = undefined;
            await deploy(undefined);
          }}
        >
          {t('changedElsewhereText')}
        </ConfirmDialog>
      )}
    </SpaceBetween>
  );
}

/** The state after a deploy, with what changed since it began. */
function carryOver(after: Workspace, before: Workspace, now: Workspace): Workspace {
  const files = now.files.map((file) => {
    const same = find(before, file.name) === file;
    const saved = find(after, file.name);
    return same && saved ? saved : { ...file, base: saved?.base ?? file.base };
  });
  return { ...after, files };
}
