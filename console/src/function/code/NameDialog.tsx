import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useText } from '../../language/language.ts';
import { problemOfName, type Workspace } from './workspace.ts';

interface Props {
  readonly title: string;
  readonly initial: string;
  readonly workspace: Workspace;
  readonly onName: (name: string) => void;
  readonly onClose: () => void;
}

/** Asks for the path of a file or folder. */
export function NameDialog({ title, initial, workspace, onName, onClose }: Props) {
  const t = useText();
  const [name, setName] = useState(initial);
  const [checked, setChecked] = useState(false);
  const problem =
    name === initial && initial !== '' && !initial.endsWith('/') ? undefined : problemOfName(workspace, name);
  const submit = () => {
    setChecked(true);
    if (problem) return;
    onName(name);
    onClose();
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
            <Button variant="primary" onClick={submit}>
              {t('ok')}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <FormField
          label={t('path')}
          constraintText={t('pathHint')}
          errorText={checked && problem ? t(problem) : undefined}
        >
          <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus spellcheck={false} />
        </FormField>
      </form>
    </Modal>
  );
}
