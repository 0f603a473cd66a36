import { LambdaClient } from '@aws-sdk/client-lambda';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs, { type KeyValuePairsProps } from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { useClient } from '../../aws/clients.ts';
import { type FieldErrors, fieldErrors, type Hints } from '../../aws/fieldErrors.ts';
import { waitUntilReady } from '../../aws/functionState.ts';
import { useAction } from '../../aws/load.ts';
import { useText } from '../../language/language.ts';
import { useTell } from '../../shell/notices.tsx';
import { Problem } from '../../shell/Problem.tsx';
import { useFunction } from '../functionContext.ts';

interface Props<F extends string> {
  readonly title: string;
  readonly description?: string;
  /** What is shown while nobody edits: pairs, or whatever else. */
  readonly pairs?: KeyValuePairsProps['items'];
  readonly view?: ReactNode;
  /** Fills the form's fields with the values of now. */
  readonly onEdit: () => void;
  readonly save: () => Promise<unknown>;
  /** Which of the form's fields shows which error; the section shows the others. */
  readonly hints?: Hints<F>;
  /** Further buttons beside "edit". */
  readonly actions?: ReactNode;
  readonly onSaved?: () => void;
  readonly children: (errorOf: FieldErrors<F>['of']) => ReactNode;
}

/** A group of settings: shown, edited, saved; a version's are only shown. */
export function EditableSection<F extends string = never>(props: Props<F>) {
  const t = useText();
  const tell = useTell();
  const lambda = useClient(LambdaClient);
  const { name, qualifier, reload } = useFunction();
  const [editing, setEditing] = useState(false);
  const { busy, error, run, clear } = useAction();
  const errors = fieldErrors(error, props.hints ?? []);

  const submit = async () => {
    const done = await run(async () => {
      await props.save();
      await waitUntilReady(lambda, name);
    });
    if (!done) return;
    setEditing(false);
    tell('success', t('savedSettings', { title: props.title }));
    reload();
    props.onSaved?.();
  };
  const cancel = () => {
    clear();
    setEditing(false);
  };

  return (
    <form
      aria-label={props.title}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Container
        header={
          <Header
            variant="h2"
            description={props.description}
            actions={
              !editing &&
              qualifier === undefined && (
                <SpaceBetween direction="horizontal" size="xs">
                  {props.actions}
                  <Button
                    formAction="none"
                    ariaLabel={t('editThis', { title: props.title })}
                    onClick={() => {
                      props.onEdit();
                      setEditing(true);
                    }}
                  >
                    {t('edit')}
                  </Button>
                </SpaceBetween>
              )
            }
          >
            {props.title}
          </Header>
        }
        footer={
          editing && (
            <Box float="right">
              <SpaceBetween direction="horizontal" size="xs">
                <Button variant="link" formAction="none" onClick={cancel}>
                  {t('cancel')}
                </Button>
                <Button variant="primary" loading={busy}>
                  {t('save')}
                </Button>
              </SpaceBetween>
            </Box>
          )
        }
      >
        {editing ? (
          <SpaceBetween size="l">
            {props.children(errors.of)}
            <Problem error={errors.rest} />
          </SpaceBetween>
        ) : (
          (props.view ?? <KeyValuePairs columns={3} items={props.pairs ?? []} />)
        )}
      </Container>
    </form>
  );
}
