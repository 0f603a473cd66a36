import { SchemasClient } from '@aws-sdk/client-schemas';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Grid from '@cloudscape-design/components/grid';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Select, { type SelectProps } from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { isNotImplemented, messageOf } from '../../aws/errors.ts';
import { useAction, useLoad } from '../../aws/load.ts';
import { useRegion } from '../../aws/region.ts';
import { useText } from '../../language/language.ts';
import { useTell } from '../../shell/notices.tsx';
import { Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';
import { useQualifiers } from '../qualifiers.ts';
import { deleteEvent, isEventName, jsonProblem, MOST_EVENTS, privateEvents, saveEvent } from './events.ts';
import { sharedEvents, shareEvent, unshareEvent } from './sharedEvents.ts';
import { TestResult } from './TestResult.tsx';
import { TEMPLATES, templateText } from './templates.ts';
import type { Kind, TestRun } from './testRun.ts';

const CodeMirror = lazy(() => import('../code/CodeMirror.tsx'));
const NEW = '';

export interface EventDraft {
  /** Empty for an event that was never saved. */
  readonly name: string;
  readonly text: string;
  readonly shared: boolean;
}

interface Props {
  readonly draft: EventDraft;
  readonly onDraft: (draft: EventDraft) => void;
  readonly test: TestRun;
}

/** Named events, and what the function makes of them. */
export function TestTab({ draft, onDraft, test }: Props) {
  const t = useText();
  const region = useRegion();
  const tell = useTell();
  const { name, qualifier } = useFunction();
  const schemas = useClient(SchemasClient);
  const [saved, setSaved] = useState(() => privateEvents(region, name));
  const [template, setTemplate] = useState(TEMPLATES[0]?.id ?? '');
  const [kind, setKind] = useState<Kind>('RequestResponse');
  const [target, setTarget] = useState(qualifier);
  const [newName, setNewName] = useState(draft.name);
  const [checked, setChecked] = useState(false);
  const saving = useAction();
  const { options: qualifiers } = useQualifiers(name);

  const loadShared = useCallback(() => sharedEvents(schemas, name), [schemas, name]);
  const shared = useLoad(loadShared);
  const canShare = !isNotImplemented(shared.error);

  useEffect(() => setNewName(draft.name), [draft.name]);

  const problem = jsonProblem(draft.text);
  const nameProblem = checked && !isEventName(newName) ? t('eventNameHint') : undefined;
  const full = saved.length >= MOST_EVENTS && !saved.some((event) => event.name === newName) && !draft.shared;

  const choose = (value: string) => {
    if (value === NEW) {
      onDraft({ name: '', text: templateText(template), shared: false });
      setNewName('');
      return;
    }
    const [where, ...rest] = value.split(':');
    const wanted = rest.join(':');
    const event = (where === 'shared' ? (shared.data ?? []) : saved).find((known) => known.name === wanted);
    if (event) onDraft({ ...event, shared: where === 'shared' });
  };

  const save = async () => {
    setChecked(true);
    if (problem || !isEventName(newName) || full) return;
    const event = { name: newName, text: draft.text };
    const done = await saving.run(async () => {
      if (draft.shared) await shareEvent(schemas, name, event);
      else setSaved(saveEvent(region, name, event));
    });
    if (!done) return;
    if (draft.shared) shared.reload();
    onDraft({ ...event, shared: draft.shared });
    setChecked(false);
    tell('success', t('eventSaved', { name: newName }));
  };

  const remove = async () => {
    const done = await saving.run(async () => {
      if (draft.shared) await unshareEvent(schemas, name, draft.name);
      else setSaved(deleteEvent(region, name, draft.name));
    });
    if (!done) return;
    if (draft.shared) shared.reload();
    onDraft({ name: '', text: templateText(template), shared: false });
    tell('success', t('eventDeleted', { name: draft.name }));
  };

  const run = () => {
    if (problem || test.running) return;
    void test.run({ eventName: newName || t('unsavedEvent'), payload: draft.text, kind, qualifier: target });
  };

  const option = (where: string) => (event: { name: string }) => ({
    value: `${where}:${event.name}`,
    label: event.name,
  });
  const newOption = { value: NEW, label: t('newEvent') };
  const eventOptions: SelectProps.Options = [
    newOption,
    ...(saved.length > 0 ? [{ label: t('privateEvents'), options: saved.map(option('private')) }] : []),
    ...(shared.data?.length ? [{ label: t('sharedEvents'), options: shared.data.map(option('shared')) }] : []),
  ];

  return (
    <SpaceBetween size="l">
      {test.result && <TestResult result={test.result} />}
      <Container
        header={
          <Header
            variant="h2"
            description={t('testIntro')}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button disabled={draft.name === ''} onClick={remove}>
                  {t('deleteEvent')}
                </Button>
                <Button onClick={save} loading={saving.busy}>
                  {t('save')}
                </Button>
                <Button
                  variant="primary"
                  iconName="caret-right-filled"
                  disabled={problem !== undefined}
                  loading={test.running}
                  onClick={run}
                >
                  {t('test')}
                </Button>
              </SpaceBetween>
            }
          >
            {t('testEvent')}
          </Header>
        }
      >
        <SpaceBetween size="l">
          <Grid
            gridDefinition={[
              { colspan: { default: 12, s: 4 } },
              { colspan: { default: 12, s: 4 } },
              { colspan: { default: 12, s: 4 } },
            ]}
          >
            <FormField label={t('savedEvent')}>
              <Select
                selectedOption={
                  draft.name === ''
                    ? newOption
                    : { value: `${draft.shared ? 'shared' : 'private'}:${draft.name}`, label: draft.name }
                }
                options={eventOptions}
                onChange={({ detail }) => choose(detail.selectedOption.value ?? NEW)}
              />
            </FormField>
            <FormField
              label={t('eventName')}
              constraintText={t('eventNameHint')}
              errorText={nameProblem ?? (checked && full ? t('eventsFull', { count: MOST_EVENTS }) : undefined)}
            >
              <Input
                value={newName}
                onChange={({ detail }) => setNewName(detail.value)}
                placeholder="test"
                spellcheck={false}
                onKeyDown={({ detail }) => {
                  if (detail.key === 'Enter' && (detail.ctrlKey || detail.metaKey)) run();
                }}
              />
            </FormField>
            <FormField label={t('template')}>
              <Select
                selectedOption={{ value: template, label: TEMPLATES.find(({ id }) => id === template)?.label }}
                options={TEMPLATES.map(({ id, label }) => ({ value: id, label }))}
                filteringType="auto"
                filteringAriaLabel={t('template')}
                onChange={({ detail }) => {
                  const id = detail.selectedOption.value ?? template;
                  setTemplate(id);
                  onDraft({ ...draft, text: templateText(id) });
                }}
              />
            </FormField>
          </Grid>
          <FormField
            label={t('eventJson')}
            stretch
            errorText={problem && t('notJson', { problem })}
            secondaryControl={
              <Button
                disabled={problem !== undefined}
                onClick={() => onDraft({ ...draft, text: JSON.stringify(JSON.parse(draft.text), null, 2) })}
              >
                {t('formatJson')}
              </Button>
            }
          >
            <Suspense fallback={<Box padding="l">{t('loading')}</Box>}>
              <CodeMirror
                file="event.json"
                text={draft.text}
                onChange={(text) => onDraft({ ...draft, text })}
                ariaLabel={t('eventJson')}
                onSave={save}
                onRun={run}
                minHeight="180px"
              />
            </Suspense>
          </FormField>
          <Problem error={saving.error} />
          <Grid
            gridDefinition={[
              { colspan: { default: 12, s: 5 } },
              { colspan: { default: 12, s: 3 } },
              { colspan: { default: 12, s: 4 } },
            ]}
          >
            <FormField label={t('invocationType')}>
              <RadioGroup
                value={kind}
                onChange={({ detail }) => setKind(detail.value as Kind)}
                items={[
                  { value: 'RequestResponse', label: t('kindSync') },
                  { value: 'Stream', label: t('kindStream') },
                  { value: 'Event', label: t('kindEvent') },
                  { value: 'DryRun', label: t('kindDryRun') },
                ]}
              />
            </FormField>
            <FormField label={t('qualifier')}>
              <Select
                selectedOption={{ value: target ?? '', label: target ?? '$LATEST' }}
                options={[{ value: '', label: '$LATEST' }, ...qualifiers]}
                onChange={({ detail }) => setTarget(detail.selectedOption.value || undefined)}
              />
            </FormField>
            <FormField label={t('sharing')} description={canShare ? undefined : t('sharingMissing')}>
              <RadioGroup
                value={draft.shared ? 'shared' : 'private'}
                onChange={({ detail }) => onDraft({ ...draft, shared: detail.value === 'shared' })}
                items={[
                  { value: 'private', label: t('private'), description: t('privateText') },
                  { value: 'shared', label: t('shareable'), description: t('shareableText'), disabled: !canShare },
                ]}
              />
            </FormField>
          </Grid>
          {shared.error !== undefined && canShare && <Box color="text-status-error">{messageOf(shared.error)}</Box>}
        </SpaceBetween>
      </Container>
    </SpaceBetween>
  );
}
