import {
  type FunctionConfiguration,
  GetFunctionEventInvokeConfigCommand,
  GetFunctionUrlConfigCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
} from '@aws-sdk/client-lambda';
import Box from '@cloudscape-design/components/box';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Icon from '@cloudscape-design/components/icon';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useCallback, useState } from 'react';
import { useClient } from '../aws/clients.ts';
import { isMissing, isNotImplemented } from '../aws/errors.ts';
import { useLoad } from '../aws/load.ts';
import { formatTime } from '../language/format.ts';
import { useLanguage, useText } from '../language/language.ts';
import { ADDRESSES } from '../shell/addresses.ts';
import { isNarrow } from '../shell/narrow.ts';
import { PageLink } from '../shell/PageLink.tsx';
import { useFunction } from './functionContext.ts';

/** The answer, or undefined where there is none or the server does not serve the question. */
export async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isMissing(error) || isNotImplemented(error)) return undefined;
    throw error;
  }
}

const STORED = 'firefork.overview';

/** What comes in, what is laid below, where results go; and the facts that one looks up most. */
export function Overview() {
  const t = useText();
  const language = useLanguage();
  const lambda = useClient(LambdaClient);
  const { name, qualifier, configuration } = useFunction();
  const load = useCallback(async () => {
    const asked = { FunctionName: name, Qualifier: qualifier };
    const [url, mappings, invokeConfig] = await Promise.all([
      ifThere(lambda.send(new GetFunctionUrlConfigCommand(asked))),
      ifThere(lambda.send(new ListEventSourceMappingsCommand({ FunctionName: name }))),
      ifThere(lambda.send(new GetFunctionEventInvokeConfigCommand(asked))),
    ]);
    return { url, mappings: mappings?.EventSourceMappings ?? [], destinations: invokeConfig?.DestinationConfig };
  }, [lambda, name, qualifier]);
  const { data } = useLoad(load, configuration);
  const [expanded, setExpanded] = useState(
    () => (localStorage.getItem(STORED) ?? (isNarrow() ? 'closed' : 'open')) === 'open',
  );
  const url = data?.url?.FunctionUrl;
  const triggers = [
    ...(url ? [t('functionUrl')] : []),
    ...(data?.mappings ?? []).map((mapping) => lastPart(mapping.EventSourceArn)),
  ];
  const destinations = [
    ...(data?.destinations?.OnSuccess?.Destination
      ? [`${t('onSuccess')}: ${lastPart(data.destinations.OnSuccess.Destination)}`]
      : []),
    ...(data?.destinations?.OnFailure?.Destination
      ? [`${t('onFailure')}: ${lastPart(data.destinations.OnFailure.Destination)}`]
      : []),
  ];
  const toggle = (shown: boolean) => {
    localStorage.setItem(STORED, shown ? 'open' : 'closed');
    setExpanded(shown);
  };
  return (
    <ExpandableSection
      variant="container"
      headerText={t('overview')}
      headerActions={
        <CopyToClipboard
          copyButtonText={t('copyArn')}
          textToCopy={configuration.FunctionArn ?? ''}
          copySuccessText={t('copied')}
          copyErrorText={t('notCopied')}
        />
      }
      expanded={expanded}
      onChange={({ detail }) => toggle(detail.expanded)}
    >
      <div className="overview">
        <div
          className="picture"
          role="img"
          aria-label={t('pictureLabel', {
            triggers: triggers.length,
            layers: configuration.Layers?.length ?? 0,
            destinations: destinations.length,
          })}
        >
          <Side items={triggers} empty={t('noTriggers')} />
          <span className="arrow" aria-hidden="true">
            →
          </span>
          <div className="picture-function">
            <Box variant="strong" color="inherit">
              <Icon name="script" /> {name}
              {qualifier && `:${qualifier}`}
            </Box>
            <Box color="text-body-secondary" fontSize="body-s">
              <Icon name="folder" size="small" /> {t('layerCount', { count: configuration.Layers?.length ?? 0 })}
            </Box>
          </div>
          <span className="arrow" aria-hidden="true">
            →
          </span>
          <Side items={destinations} empty={t('noDestinations')} />
        </div>
        <KeyValuePairs
          columns={2}
          items={[
            { label: t('description'), value: configuration.Description || '–' },
            { label: t('status'), value: <State configuration={configuration} /> },
            {
              label: t('functionArn'),
              value: (
                <Box variant="code">
                  <span className="break">{configuration.FunctionArn}</span>
                </Box>
              ),
            },
            { label: t('lastModified'), value: formatTime(configuration.LastModified, language) },
            {
              label: t('logGroup'),
              value: (
                <PageLink to={ADDRESSES.logGroup(configuration.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`)}>
                  {configuration.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`}
                </PageLink>
              ),
            },
            {
              label: t('functionUrl'),
              value: url ? (
                <Link href={url} external externalIconAriaLabel={t('newTab')}>
                  {url}
                </Link>
              ) : (
                <PageLink to={`${ADDRESSES.function(name, 'configuration')}/url`}>{t('noUrl')}</PageLink>
              ),
            },
          ]}
        />
      </div>
    </ExpandableSection>
  );
}

function lastPart(arn: string | undefined): string {
  return arn?.split(/[:/]/).at(-1) ?? '–';
}

function Side({ items, empty }: { readonly items: readonly string[]; readonly empty: string }) {
  return (
    <div className="picture-side">
      {items.length === 0 ? (
        <Box color="text-body-secondary" fontSize="body-s">
          {empty}
        </Box>
      ) : (
        items.map((item) => (
          <div key={item} className="picture-item">
            {item}
          </div>
        ))
      )}
    </div>
  );
}

function State({ configuration }: { readonly configuration: FunctionConfiguration }) {
  const t = useText();
  if (configuration.State === 'Failed' || configuration.LastUpdateStatus === 'Failed') {
    const reason = configuration.StateReason ?? configuration.LastUpdateStatusReason ?? '';
    return <StatusIndicator type="error">{reason || t('failed')}</StatusIndicator>;
  }
  if (configuration.State === 'Pending' || configuration.LastUpdateStatus === 'InProgress') {
    return <StatusIndicator type="in-progress">{t('updating')}</StatusIndicator>;
  }
  if (configuration.State === 'Inactive') return <StatusIndicator type="stopped">{t('inactive')}</StatusIndicator>;
  return <StatusIndicator type="success">{t('active')}</StatusIndicator>;
}
