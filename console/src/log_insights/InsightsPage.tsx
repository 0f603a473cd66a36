import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { useCollection } from '@cloudscape-design/collection-hooks';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Multiselect from '@cloudscape-design/components/multiselect';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'react-router-dom';
import { useClient } from '../aws/clients.ts';
import { isExpired } from '../aws/errors.ts';
import { fieldErrors } from '../aws/fieldErrors.ts';
import { TimeRangePicker } from '../function/monitor/TimeRangePicker.tsx';
import { RELATIVE_RANGES, spanOf, type TimeRange } from '../function/monitor/timeRange.ts';
import { useLanguage, useText } from '../language/language.ts';
import { useLogGroups } from '../log_groups/logGroupList.ts';
import { signOut } from '../session/session.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { Frame } from '../shell/Frame.tsx';
import { PageLink } from '../shell/PageLink.tsx';
import { Empty, Problem } from '../shell/Problem.tsx';
import { type Answer, type Row, runQuery } from './query.ts';
import { SAMPLES } from './samples.ts';

const PAGE_SIZE = 50;
const HINTS = [['query', /MalformedQuery|queryString/]] as const;

/** Questions to log groups, in the query language of CloudWatch Logs Insights. */
export default function InsightsPage() {
  const t = useText();
  const logs = useClient(CloudWatchLogsClient);
  const [search] = useSearchParams();
  const [chosen, setChosen] = useState<readonly string[]>(() => search.getAll('group'));
  const [text, setText] = useState(SAMPLES[0]?.[1] ?? '');
  const [range, setRange] = useState<TimeRange>(RELATIVE_RANGES[3]);
  const [answer, setAnswer] = useState<Answer | undefined>();
  const [error, setError] = useState<unknown>();
  const [running, setRunning] = useState(false);
  const underway = useRef(new AbortController());
  const groups = useLogGroups();
  useEffect(() => () => underway.current.abort(), []);

  const stop = () => {
    underway.current.abort();
    setRunning(false);
  };
  const run = async () => {
    if (chosen.length === 0 || !text.trim()) return;
    stop();
    underway.current = new AbortController();
    const { signal } = underway.current;
    setRunning(true);
    setError(undefined);
    setAnswer(undefined);
    try {
      await runQuery(logs, { groups: chosen, text, ...spanOf(range, Date.now()) }, setAnswer, signal);
    } catch (problem) {
      if (signal.aborted) return;
      if (isExpired(problem)) signOut('expired');
      setError(problem);
    }
    if (!signal.aborted) setRunning(false);
  };
  const errors = fieldErrors(error, HINTS);
  const option = (name: string) => ({ value: name, label: name });
  return (
    <Frame crumbs={[{ text: t('logInsights') }]}>
      <ContentLayout
        header={
          <Header variant="h1" description={t('logInsightsIntro')}>
            {t('logInsights')}
          </Header>
        }
      >
        <SpaceBetween size="l">
          <Container>
            <SpaceBetween size="m">
              <div className="filters">
                <div className="wide">
                  <FormField label={t('logGroups')} stretch>
                    <Multiselect
                      selectedOptions={chosen.map(option)}
                      options={(groups.data ?? []).map(({ logGroupName = '' }) => option(logGroupName))}
                      onChange={({ detail }) => setChosen(detail.selectedOptions.map(({ value = '' }) => value))}
                      placeholder={t('chooseLogGroups')}
                      filteringType="auto"
                      filteringAriaLabel={t('findLogGroups')}
                      statusType={groups.loading ? 'loading' : 'finished'}
                      loadingText={t('loading')}
                      empty={t('noLogGroups')}
                      deselectAriaLabel={({ label = '' }) => t('leaveOut', { name: label })}
                    />
                  </FormField>
                </div>
                <TimeRangePicker range={range} onChange={setRange} />
              </div>
              <Problem error={groups.error} retry={groups.reload} />
              <FormField
                label={t('query')}
                description={t('queryText')}
                errorText={errors.of('query')}
                stretch
                secondaryControl={
                  <ButtonDropdown
                    items={SAMPLES.map(([key]) => ({ id: key, text: t(key) }))}
                    onItemClick={({ detail }) => setText(SAMPLES.find(([key]) => key === detail.id)?.[1] ?? text)}
                  >
                    {t('sampleQueries')}
                  </ButtonDropdown>
                }
              >
                <Textarea
                  value={text}
                  rows={6}
                  spellcheck={false}
                  onChange={({ detail }) => setText(detail.value)}
                  onKeyDown={({ detail }) => {
                    if (detail.key === 'Enter' && (detail.ctrlKey || detail.metaKey)) void run();
                  }}
                />
              </FormField>
              <SpaceBetween direction="horizontal" size="xs">
                <Button
                  variant="primary"
                  loading={running}
                  disabled={chosen.length === 0 || !text.trim()}
                  onClick={() => void run()}
                >
                  {t('runQuery')}
                </Button>
                <Button disabled={!running} onClick={stop}>
                  {t('stop')}
                </Button>
              </SpaceBetween>
              <Problem error={errors.rest} />
            </SpaceBetween>
          </Container>
          <Results key={answer?.fields.join()} answer={answer} running={running} group={chosen[0] ?? ''} />
        </SpaceBetween>
      </ContentLayout>
    </Frame>
  );
}

interface ResultsProps {
  readonly answer: Answer | undefined;
  readonly running: boolean;
  /** Where the request of a row is looked up, unless the row names its log. */
  readonly group: string;
}

function Results({ answer, running, group }: ResultsProps) {
  const t = useText();
  const language = useLanguage();
  const { items, collectionProps, paginationProps } = useCollection(answer?.rows ?? [], {
    pagination: { pageSize: PAGE_SIZE },
    sorting: {},
  });
  const { recordsMatched = 0, recordsScanned = 0 } = answer?.statistics ?? {};
  const number = (value: number) => value.toLocaleString(language);
  return (
    <Table<Row>
      {...collectionProps}
      items={items}
      loading={running && items.length === 0}
      loadingText={t('loading')}
      wrapLines
      ariaLabels={{ tableLabel: t('results') }}
      header={
        <Header
          variant="h2"
          counter={answer && `(${number(answer.rows.length)})`}
          description={answer && t('recordsSeen', { matched: number(recordsMatched), scanned: number(recordsScanned) })}
        >
          {t('results')}
        </Header>
      }
      pagination={<Pagination {...paginationProps} />}
      empty={<Empty title={answer ? t('noMatch') : t('noResults')}>{answer ? t('noRows') : t('noResultsText')}</Empty>}
      columnDefinitions={(answer?.fields ?? ['@timestamp', '@message']).map((field) => ({
        id: field,
        header: field,
        sortingField: field,
        sortingComparator: (a: Row, b: Row) => compare(a[field] ?? '', b[field] ?? ''),
        minWidth: field === '@message' ? 320 : 120,
        cell: (row: Row) => <Cell field={field} row={row} group={group} />,
      }))}
    />
  );
}

/** Numbers by their size, all else by the alphabet. */
function compare(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  return Number.isNaN(difference) ? a.localeCompare(b) : difference;
}

function Cell({ field, row, group }: { readonly field: string; readonly row: Row; readonly group: string }) {
  const value = row[field] ?? '';
  if (field === '@requestId' && value) {
    // `@log` is the account and the group.
    const where = row['@log']?.replace(/^\d+:/, '') ?? group;
    return <PageLink to={ADDRESSES.logsMatching(where, `"${value}"`)}>{value}</PageLink>;
  }
  return field === '@message' ? <pre className="log-inline mono">{value}</pre> : <Box variant="span">{value}</Box>;
}
