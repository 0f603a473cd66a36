import '@cloudscape-design/global-styles/index.css';
import './style.css';
import { IntlMessageFormat } from 'intl-messageformat';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router-dom';
import { App } from './App.tsx';
import { changeRegion } from './aws/region.ts';
import type { Redeemed } from './session/redeem.ts';
import { refuseLink, signIn } from './session/session.ts';
import { ADDRESSES, BASE } from './shell/addresses.ts';
import { NoticesProvider } from './shell/notices.tsx';
import { applyTheme } from './shell/theme.ts';

// Cloudscape formats its messages with this class, which asks the browser for all locales it has: 30 ms at the first
// message. Every browser has the two of ours.
IntlMessageFormat.resolveLocale = (locales) => new Intl.Locale(String(locales));

/** Draws the console. A sign-in that is on its way is waited for: the first thing drawn is the page behind it. */
export async function show(signingIn: Promise<Redeemed> | undefined): Promise<void> {
  applyTheme();
  if (signingIn) enter(await signingIn);
  const root = document.getElementById('root');
  if (root === null) throw new Error('index.html has no element #root');
  createRoot(root).render(
    <StrictMode>
      <BrowserRouter basename={BASE}>
        <NoticesProvider>
          <App />
        </NoticesProvider>
      </BrowserRouter>
    </StrictMode>,
  );
}

function enter(redeemed: Redeemed): void {
  if ('refusal' in redeemed) {
    refuseLink(redeemed.refusal);
    return;
  }
  changeRegion(redeemed.region);
  signIn(redeemed.session);
  window.history.replaceState(null, '', BASE + ADDRESSES.functions);
}
