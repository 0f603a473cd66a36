import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';
import { isDenied, isNotImplemented, messageOf } from '../aws/errors.ts';
import { useText } from '../language/language.ts';

interface Props {
  /** Nothing is shown for undefined. */
  readonly error: unknown;
  readonly retry?: () => void;
}

/** An error in AWS's words; a gap of this server as what it is. */
export function Problem({ error, retry }: Props) {
  const t = useText();
  if (error === undefined) return null;
  if (isNotImplemented(error)) {
    return (
      <Alert type="info" header={t('notServed')} statusIconAriaLabel={t('info')}>
        {messageOf(error)}
      </Alert>
    );
  }
  return (
    <Alert
      type="error"
      header={isDenied(error) ? t('notAllowed') : undefined}
      statusIconAriaLabel={t('error')}
      action={retry && <Button onClick={retry}>{t('tryAgain')}</Button>}
    >
      {messageOf(error)}
    </Alert>
  );
}

interface EmptyProps {
  readonly title: string;
  /** One sentence on what would be here and why one would want it. */
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

/** Where a list has nothing yet. */
export function Empty({ title, children, action }: EmptyProps) {
  return (
    <Box textAlign="center" color="inherit" padding={{ vertical: 's' }}>
      <SpaceBetween size="xs">
        <Box variant="strong" color="inherit">
          {title}
        </Box>
        <Box variant="p" color="text-body-secondary">
          {children}
        </Box>
        {action}
      </SpaceBetween>
    </Box>
  );
}
