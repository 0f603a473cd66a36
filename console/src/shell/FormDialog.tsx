import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useId } from 'react';
import { type FieldErrors, fieldErrors, type Hints } from '../aws/fieldErrors.ts';
import { useAction } from '../aws/load.ts';
import { useText } from '../language/language.ts';
import { Problem } from './Problem.tsx';

interface Props<F extends string> {
  readonly title: string;
  /** What the button that sends the form says. */
  readonly action: string;
  readonly disabled?: boolean;
  readonly submit: () => Promise<unknown>;
  readonly onClose: () => void;
  /** After a submit that succeeded; the dialog is closed by then. */
  readonly onDone?: () => void;
  readonly hints?: Hints<F>;
  readonly children: (errorOf: FieldErrors<F>['of']) => ReactNode;
}

/** A form in a dialog: closes when it was sent, stays open with the error beside its field if that fails. */
export function FormDialog<F extends string = never>(props: Props<F>) {
  const t = useText();
  const form = useId();
  const { busy, error, run } = useAction();
  const errors = fieldErrors(error, props.hints ?? []);
  const submit = async () => {
    if (busy || props.disabled || !(await run(props.submit))) return;
    props.onClose();
    props.onDone?.();
  };
  return (
    <Modal
      visible
      header={props.title}
      closeAriaLabel={t('close')}
      onDismiss={props.onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={props.onClose}>
              {t('cancel')}
            </Button>
            <Button variant="primary" form={form} loading={busy} disabled={props.disabled}>
              {props.action}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        id={form}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <SpaceBetween size="m">
          {props.children(errors.of)}
          <Problem error={errors.rest} />
        </SpaceBetween>
      </form>
    </Modal>
  );
}
