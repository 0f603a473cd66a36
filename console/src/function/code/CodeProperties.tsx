import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import { formatBytes, formatTime } from '../../language/format.ts';
import { useLanguage, useText } from '../../language/language.ts';
import { useFunction } from '../functionContext.ts';

export function CodeProperties() {
  const t = useText();
  const language = useLanguage();
  const { configuration } = useFunction();
  return (
    <Container header={<Header variant="h2">{t('codeProperties')}</Header>}>
      <KeyValuePairs
        columns={3}
        items={[
          { label: t('packageSize'), value: formatBytes(configuration.CodeSize ?? 0, language) },
          { label: 'SHA-256', value: <Box variant="code">{configuration.CodeSha256}</Box> },
          { label: t('lastModified'), value: formatTime(configuration.LastModified, language) },
        ]}
      />
    </Container>
  );
}
