import { GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import { useEffect, useRef, useState } from 'react';
import { useLocation, useNavigate } from 'react-router-dom';
import { clientSettings } from '../aws/clients.ts';
import { useAction } from '../aws/load.ts';
import { changeRegion, currentRegion } from '../aws/region.ts';
import { useText } from '../language/language.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { Problem } from '../shell/Problem.tsx';
import { redeemLink, sessionEnded, signIn } from './session.ts';

const SESSION_S = 12 * 3600;

/** Trades a key pair for temporary credentials; only these are kept. */
async function signInWithKeys(accessKeyId: string, secretAccessKey: string): Promise<void> {
  const sts = new STSClient(clientSettings({ accessKeyId, secretAccessKey }, currentRegion()));
  const { Credentials: given } = await sts.send(new GetSessionTokenCommand({ DurationSeconds: SESSION_S }));
  signIn({
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken,
    expiresAt: given?.Expiration?.getTime(),
  });
}

/** Signs in by a one-time link, or by an access key. */
export function SignInPage() {
  const t = useText();
  const navigate = useNavigate();
  const { pathname, search, hash } = useLocation();
  const token = useRef(new URLSearchParams(hash.slice(1)).get('token'));
  const [key, setKey] = useState('');
  const [secret, setSecret] = useState('');
  const byLink = useAction();
  const byKeys = useAction();
  const runLink = byLink.run;

  useEffect(() => {
    const once = token.current;
    if (!once) return;
    token.current = null;
    // Out of the address bar and the history before anything else: the token is good only once anyway.
    navigate('/sign-in', { replace: true });
    void runLink(async () => {
      changeRegion(await redeemLink(once));
      navigate(ADDRESSES.functions, { replace: true });
    });
  }, [navigate, runLink]);

  const submit = () =>
    byKeys.run(async () => {
      await signInWithKeys(key.trim(), secret.trim());
      navigate(pathname === '/sign-in' ? ADDRESSES.functions : pathname + search, { replace: true });
    });

  if (byLink.busy) {
    return (
      <Box padding="xxxl" textAlign="center">
        <Spinner size="large" /> {t('signingIn')}
      </Box>
    );
  }
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
            <Problem error={byLink.error} />
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
