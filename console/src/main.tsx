import '@cloudscape-design/global-styles/index.css';
import './style.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router-dom';
import { App } from './App.tsx';
import { BASE } from './shell/addresses.ts';
import { NoticesProvider } from './shell/notices.tsx';
import { applyTheme } from './shell/theme.ts';

applyTheme();
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
