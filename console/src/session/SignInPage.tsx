import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useLocation, useNavigate } from 'react-router-dom';
import { useAction } from '../aws/load.ts';
import { useText } from '../language/language.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { Problem } from '../shell/Problem.tsx';
import { linkRefusal, sessionEnded, signIn } from './session.ts';

/** Signs in by an access key; a one-time link was looked at before. */
export function SignInPage() {
  const t = useText();
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  const [key, setKey] = useState('');
  const [secret, setSecret] = useState('');
  const byKeys = useAction();

  const submit = () =>
    byKeys.run(async () => {
      // Most people come by a link, and never need STS.
      const { tradeKeys } = await import('./tradeKeys.ts');
      signIn(await tradeKeys(key.trim(), secret.trim()));
      navigate(pathname === '/sign-in' ? ADDRESSES.functions : pathname + search, { replace: true });
    });

  return (
    <main className="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Container
          header={
            <Header variant="h1" description={t('signInIntro')}>
              {t('signInTitle')}
            </Header>
          }
        >
          <SpaceBetween size="l">
            {sessionEnded() && <Alert type="info">{t('sessionEnded')}</Alert>}
            <Problem error={byKeys.error ? undefined : linkRefusal()} />
            <FormField label={t('accessKeyId')}>
              <Input
                value={key}
                onChange={({ detail }) => setKey(detail.value)}
                autoComplete={false}
                spellcheck={false}
                placeholder="AKIA…"
              />
            </FormField>
            <FormField label={t('secretAccessKey')}>
              <Input
                type="password"
                value={secret}
                onChange={({ detail }) => setSecret(detail.value)}
                autoComplete={false}
              />
            </FormField>
            <Problem error={byKeys.error} />
            <Button
              variant="primary"
              formAction="submit"
              loading={byKeys.busy}
              disabled={!key.trim() || !secret.trim()}
              fullWidth
            >
              {t('signIn')}
            </Button>
            <Box color="text-body-secondary" fontSize="body-s">
              {t('signInWhere')} <Box variant="code">firefork console</Box>
              <br />
              {t('signInSafe')}
            </Box>
          </SpaceBetween>
        </Container>
      </form>
    </main>
  );
}
