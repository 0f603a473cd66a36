import Select from '@cloudscape-design/components/select';
import SideNavigation from '@cloudscape-design/components/side-navigation';
import type { ComponentType } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router-dom';
import { type Key, useText } from '../../language/language.ts';
import { ADDRESSES, BASE } from '../../shell/addresses.ts';
import { useNarrow } from '../../shell/narrow.ts';
import { useFunction } from '../functionContext.ts';
import { AsyncInvocation } from './AsyncInvocation.tsx';
import { CodeSigning } from './CodeSigning.tsx';
import { Concurrency } from './Concurrency.tsx';
import { Destinations } from './Destinations.tsx';
import { Environment } from './Environment.tsx';
import { FunctionUrl } from './FunctionUrl.tsx';
import { General } from './General.tsx';
import { Monitoring } from './Monitoring.tsx';
import { Permissions } from './Permissions.tsx';
import { RuntimeManagement } from './RuntimeManagement.tsx';
import { Tags } from './Tags.tsx';
import { Triggers } from './Triggers.tsx';
import { Vpc } from './Vpc.tsx';

const SECTIONS: readonly (readonly [string, Key, ComponentType])[] = [
  ['general', 'generalConfiguration', General],
  ['triggers', 'triggers', Triggers],
  ['permissions', 'permissions', Permissions],
  ['destinations', 'destinations', Destinations],
  ['url', 'functionUrl', FunctionUrl],
  ['environment', 'environmentVariables', Environment],
  ['tags', 'tags', Tags],
  ['vpc', 'vpc', Vpc],
  ['monitoring', 'monitoringTools', Monitoring],
  ['concurrency', 'concurrency', Concurrency],
  ['async', 'asyncInvocation', AsyncInvocation],
  ['runtime', 'runtimeManagement', RuntimeManagement],
  ['signing', 'codeSigning', CodeSigning],
];

/** A function's settings, by topic. */
export default function ConfigurationTab() {
  const t = useText();
  const navigate = useNavigate();
  const { section = 'general' } = useParams();
  const [search] = useSearchParams();
  const { name } = useFunction();
  const address = (id: string) => `${ADDRESSES.function(name, 'configuration')}/${id}`;
  const Section = SECTIONS.find(([id]) => id === section)?.[2] ?? General;
  const narrow = useNarrow();
  const options = SECTIONS.map(([id, key]) => ({ value: id, label: t(key) }));
  const query = search.size > 0 ? `?${search}` : '';
  return (
    <div className="configuration">
      <nav aria-label={t('configuration')}>
        {narrow ? (
          <Select
            ariaLabel={t('configuration')}
            selectedOption={options.find(({ value }) => value === section) ?? null}
            options={options}
            onChange={({ detail }) => navigate(address(detail.selectedOption.value ?? section) + query)}
          />
        ) : (
          <SideNavigation
            activeHref={BASE + address(section)}
            items={SECTIONS.map(([id, key]) => ({ type: 'link', text: t(key), href: BASE + address(id) }))}
            onFollow={(event) => {
              event.preventDefault();
              navigate(event.detail.href.slice(BASE.length) + query);
            }}
          />
        )}
      </nav>
      <div className="configuration-section">
        <Section />
      </div>
    </div>
  );
}
