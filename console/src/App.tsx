import { I18nProvider } from '@cloudscape-design/components/i18n';
import english from '@cloudscape-design/components/i18n/messages/all.en';
import spanish from '@cloudscape-design/components/i18n/messages/all.es';
import { lazy, Suspense, useEffect } from 'react';
import { Navigate, Route, Routes } from 'react-router-dom';
import { FunctionsPage } from './functions/FunctionsPage.tsx';
import { useLanguage } from './language/language.ts';
import { SignInPage } from './session/SignInPage.tsx';
import { useSession } from './session/sessionHooks.ts';
import { ADDRESSES } from './shell/addresses.ts';
import { TopBar } from './shell/TopBar.tsx';

const CreateFunctionPage = lazy(() => import('./functions/CreateFunctionPage.tsx'));
const FunctionPage = lazy(() => import('./function/FunctionPage.tsx'));
const LayersPage = lazy(() => import('./layers/LayersPage.tsx'));
const LayerPage = lazy(() => import('./layers/LayerPage.tsx'));
const LogGroupsPage = lazy(() => import('./log_groups/LogGroupsPage.tsx'));
const LogGroupPage = lazy(() => import('./log_groups/LogGroupPage.tsx'));
const InsightsPage = lazy(() => import('./log_insights/InsightsPage.tsx'));
const RuntimesPage = lazy(() => import('./runtimes/RuntimesPage.tsx'));
const AccountPage = lazy(() => import('./account/AccountPage.tsx'));

/** The pages, for whoever is signed in. */
export function App() {
  const language = useLanguage();
  const session = useSession();
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return (
    <I18nProvider locale={language} messages={[language === 'es' ? spanish : english]}>
      <TopBar />
      {session ? (
        <Suspense fallback={null}>
          <Routes>
            <Route path="/functions" element={<FunctionsPage />} />
            <Route path="/create-function" element={<CreateFunctionPage />} />
            <Route path="/functions/:name/:tab" element={<FunctionPage />} />
            <Route path="/functions/:name/:tab/:section" element={<FunctionPage />} />
            <Route path="/layers" element={<LayersPage />} />
            <Route path="/layers/:name" element={<LayerPage />} />
            <Route path="/log-groups" element={<LogGroupsPage />} />
            <Route path="/log-groups/:name" element={<LogGroupPage />} />
            <Route path="/log-insights" element={<InsightsPage />} />
            <Route path="/runtimes" element={<RuntimesPage />} />
            <Route path="/account" element={<AccountPage />} />
            <Route path="*" element={<Navigate to={ADDRESSES.functions} replace />} />
          </Routes>
        </Suspense>
      ) : (
        <SignInPage />
      )}
    </I18nProvider>
  );
}
