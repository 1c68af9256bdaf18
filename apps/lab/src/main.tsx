import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { notify, startLab } from './lab.js';
import { fetchPages } from './page-of.js';
import { applyTheme } from './theme.js';
import { Boundary } from './ui/boundary.js';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/shell.css';
import './styles/pages.css';
import 'uplot/dist/uPlot.min.css';

applyTheme();
window.addEventListener('unhandledrejection', ({ reason }) => {
  notify('bad', reason instanceof Error ? reason.message : String(reason));
});
void startLab();
createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <Boundary what="The lab">
      <App />
    </Boundary>
  </StrictMode>,
);
fetchPages();
