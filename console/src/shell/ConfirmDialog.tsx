import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useState } from 'react';
import { useAction } from '../aws/load.ts';
import { useText } from '../language/language.ts';
import { Problem } from './Problem.tsx';

interface Props {
  readonly title: string;
  readonly children: ReactNode;
  /** What the button that does it says. */
  readonly action: string;
  /** A word to type before anything is destroyed for good. */
  readonly word?: string;
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
}

/** Asks before something is destroyed; stays open with the error if that fails. */
export function ConfirmDialog({ title, children, action, word, onConfirm, onClose }: Props) {
  const t = useText();
  const [typed, setTyped] = useState('');
  const { busy, error, run } = useAction();
  const ready = word === undefined || typed === word;
  const confirm = async () => {
    if (ready && !busy && (await run(onConfirm))) onClose();
  };
  return (
    <Modal
      visible
      header={title}
      closeAriaLabel={t('close')}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button variant="primary" loading={busy} disabled={!ready} onClick={confirm}>
              {action}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <div>{children}</div>
        {word !== undefined && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void confirm();
            }}
          >
            <FormField label={t('typeToConfirm', { word })}>
              <Input value={typed} placeholder={word} autoFocus onChange={({ detail }) => setTyped(detail.value)} />
            </FormField>
          </form>
        )}
        <Problem error={error} />
      </SpaceBetween>
    </Modal>
  );
}
