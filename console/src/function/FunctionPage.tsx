import {
  type FunctionConfiguration,
  GetFunctionConfigurationCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import Tabs from '@cloudscape-design/components/tabs';
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router-dom';
import { useClient } from '../aws/clients.ts';
import { waitUntilReady } from '../aws/functionState.ts';
import { useLoad } from '../aws/load.ts';
import { useRegion } from '../aws/region.ts';
import DeleteFunctions from '../functions/DeleteFunctions.tsx';
import { useText } from '../language/language.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { ConfirmDialog } from '../shell/ConfirmDialog.tsx';
import { Frame } from '../shell/Frame.tsx';
import { useTell } from '../shell/notices.tsx';
import { Problem } from '../shell/Problem.tsx';
import { AliasesTab } from './AliasesTab.tsx';
import { CodeTab } from './code/CodeTab.tsx';
import { FunctionProvider } from './functionContext.ts';
import { Overview } from './Overview.tsx';
import type { Place } from './stackTrace.ts';
import { privateEvents } from './test/events.ts';
import { type EventDraft, TestTab } from './test/TestTab.tsx';
import { templateText } from './test/templates.ts';
import { useTestRun } from './test/testRun.ts';
import { PublishDialog, VersionsTab } from './VersionsTab.tsx';

const MonitorTab = lazy(() => import('./monitor/MonitorTab.tsx'));
const ConfigurationTab = lazy(() => import('./configuration/ConfigurationTab.tsx'));

/** One function: its picture and its tabs. */
export default function FunctionPage() {
  const t = useText();
  const { name = '' } = useParams();
  const [search] = useSearchParams();
  const qualifier = search.get('qualifier') ?? undefined;
  const lambda = useClient(LambdaClient);
  const load = useCallback(
    (signal: AbortSignal) =>
      lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name, Qualifier: qualifier }), {
        abortSignal: signal,
      }),
    [lambda, name, qualifier],
  );
  const { data, error, reload } = useLoad(load);
  const crumbs = [
    { text: t('functions'), to: ADDRESSES.functions },
    ...(qualifier ? [{ text: name, to: ADDRESSES.function(name) }, { text: qualifier }] : [{ text: name }]),
  ];
  const pending = data?.State === 'Pending' || data?.LastUpdateStatus === 'InProgress';

  useEffect(() => {
    if (!pending) return;
    // Shown by the reload; a failed wait is a failed state, which the page shows as well.
    waitUntilReady(lambda, name).then(reload, reload);
  }, [pending, lambda, name, reload]);

  return (
    <Frame crumbs={crumbs}>
      {data ? (
        <Shown key={`${name}:${qualifier}`} configuration={data} qualifier={qualifier} reload={reload} />
      ) : error !== undefined ? (
        <Problem error={error} retry={reload} />
      ) : (
        <Box textAlign="center" padding="xxl">
          <Spinner size="large" /> {t('loading')}
        </Box>
      )}
    </Frame>
  );
}

interface ShownProps {
  readonly configuration: FunctionConfiguration;
  readonly qualifier: string | undefined;
  readonly reload: () => void;
}

function Shown({ configuration, qualifier, reload }: ShownProps) {
  const t = useText();
  const navigate = useNavigate();
  const tell = useTell();
  const region = useRegion();
  const lambda = useClient(LambdaClient);
  const { tab = 'code' } = useParams();
  const [search] = useSearchParams();
  const name = configuration.FunctionName ?? '';
  const [dialog, setDialog] = useState<'delete' | 'publish' | 'throttle' | null>(null);
  const [place, setPlace] = useState<Place | undefined>();
  const [draft, setDraft] = useState<EventDraft>(() => {
    const template = search.get('template');
    const [first] = template ? [] : privateEvents(region, name);
    return { name: '', text: templateText(template ?? 'hello-world'), shared: false, ...first };
  });
  const test = useTestRun(name);

  const open = useCallback(
    (wanted: string) =>
      navigate(ADDRESSES.function(name, wanted) + (qualifier ? `?qualifier=${encodeURIComponent(qualifier)}` : '')),
    [navigate, name, qualifier],
  );
  const openPlace = useCallback(
    (wanted: Place) => {
      setPlace({ ...wanted });
      open('code');
    },
    [open],
  );
  const context = useMemo(
    () => ({ name, qualifier, configuration, reload, openPlace, place }),
    [name, qualifier, configuration, reload, openPlace, place],
  );
  const runDraft = () =>
    void test.run({
      eventName: draft.name || t('unsavedEvent'),
      payload: draft.text,
      kind: 'RequestResponse',
      qualifier,
    });

  const loading = (
    <Box padding="l">
      <Spinner /> {t('loading')}
    </Box>
  );
  return (
    <FunctionProvider value={context}>
      <ContentLayout
        header={
          <Header
            variant="h1"
            actions={
              <ButtonDropdown
                items={[
                  { id: 'publish', text: t('publishVersion'), disabled: qualifier !== undefined },
                  { id: 'throttle', text: t('throttle'), disabled: qualifier !== undefined },
                  { id: 'delete', text: t('deleteFunction'), disabled: qualifier !== undefined },
                ]}
                onItemClick={({ detail }) => setDialog(detail.id as 'delete' | 'publish' | 'throttle')}
              >
                {t('actions')}
              </ButtonDropdown>
            }
          >
            {name}
          </Header>
        }
      >
        <SpaceBetween size="l">
          {qualifier !== undefined && (
            <Alert type="info" statusIconAriaLabel={t('info')}>
              {t('versionShown', { version: configuration.Version ?? qualifier })}
            </Alert>
          )}
          <Overview />
          <Tabs
            activeTabId={tab}
            onChange={({ detail }) => open(detail.activeTabId)}
            ariaLabel={t('partsOf', { name })}
            tabs={[
              {
                id: 'code',
                label: t('code'),
                contentRenderStrategy: 'lazy',
                content: <CodeTab test={test} onTest={runDraft} eventName={draft.name || t('unsavedEvent')} />,
              },
              {
                id: 'test',
                label: t('test'),
                contentRenderStrategy: 'lazy',
                content: <TestTab draft={draft} onDraft={setDraft} test={test} />,
              },
              {
                id: 'monitor',
                label: t('monitor'),
                content: (
                  <Suspense fallback={loading}>
                    <MonitorTab />
                  </Suspense>
                ),
              },
              {
                id: 'configuration',
                label: t('configuration'),
                content: (
                  <Suspense fallback={loading}>
                    <ConfigurationTab />
                  </Suspense>
                ),
              },
              { id: 'aliases', label: t('aliases'), content: <AliasesTab /> },
              { id: 'versions', label: t('versions'), content: <VersionsTab /> },
            ]}
          />
        </SpaceBetween>
      </ContentLayout>
      {dialog === 'delete' && (
        <DeleteFunctions
          functions={[configuration]}
          onDeleted={() => navigate(ADDRESSES.functions)}
          onClose={() => setDialog(null)}
        />
      )}
      {dialog === 'publish' && <PublishDialog onClose={() => setDialog(null)} onPublished={() => open('versions')} />}
      {dialog === 'throttle' && (
        <ConfirmDialog
          title={t('throttle')}
          action={t('throttle')}
          onClose={() => setDialog(null)}
          onConfirm={async () => {
            await lambda.send(
              new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 0 }),
            );
            tell('success', t('throttled', { name }));
          }}
        >
          {t('throttleText')}
        </ConfirmDialog>
      )}
    </FunctionProvider>
  );
}
