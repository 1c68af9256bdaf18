import { type ReactElement, Suspense, useState } from 'react';
import { dismissNotice, useLab } from './lab.js';
import { forgetPage, pageOf, titles } from './page-of.js';
import { ExperimentsPage } from './pages/experiments/page.js';
import { hrefOf, useRoute } from './route.js';
import { type PageName, pages } from './route-names.js';
import { chooseTheme, useTheme } from './theme.js';
import { Boundary } from './ui/boundary.js';
import { Button } from './ui/button.js';
import { Notice } from './ui/notice.js';
import { capital } from './ui/numbers.js';

/** The frame of all pages. */
export function App(): ReactElement {
  const { page } = useRoute();
  const { notice, engine } = useLab();
  const theme = useTheme();
  const [understood, setUnderstood] = useState(false);
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <div className="shell">
      <header className="topbar">
        <a
          className="skip"
          href={hrefOf(page)}
          onClick={(event) => {
            event.preventDefault();
            document.getElementById('main')?.focus();
          }}
        >
          Skip to the page
        </a>
        <a className="brand" href={hrefOf('experiments')}>
          <img src="./icon.svg" alt="" />
          Headwise lab
        </a>
        <nav className="nav" aria-label="Pages">
          {pages.map((name) => (
            <a
              key={name}
              href={hrefOf(name)}
              {...(name === page ? { 'aria-current': 'page' as const } : {})}
            >
              {titles[name]}
            </a>
          ))}
        </nav>
        <span className="spacer" />
        <Button
          icon={theme === 'dark' ? 'sun' : 'moon'}
          kind="quiet"
          bare
          onClick={() => chooseTheme(other)}
        >
          {`Use ${other} colours`}
        </Button>
      </header>
      <main className="page" id="main" tabIndex={-1}>
        {notice && (
          <Notice tone={notice.tone} onClose={dismissNotice}>
            {notice.text}
          </Notice>
        )}
        {engine && engine.backend !== 'webgpu' && !understood && (
          <WithoutWebGpu missing={engine.missing} onClose={() => setUnderstood(true)} />
        )}
        <Boundary
          key={page}
          what={`The page ${titles[page]}`}
          onRetry={() => {
            if (page !== 'experiments') forgetPage(page);
          }}
        >
          <Suspense fallback={<p className="muted">Loading the page …</p>}>
            <Page name={page} />
          </Suspense>
        </Boundary>
      </main>
    </div>
  );
}

function Page({ name }: { name: PageName }): ReactElement {
  if (name === 'experiments') return <ExperimentsPage />;
  const Lazy = pageOf(name);
  return <Lazy />;
}

/** Why it is slow, and what would make it fast. */
function WithoutWebGpu({
  missing,
  onClose,
}: {
  missing: string[];
  onClose: () => void;
}): ReactElement {
  return (
    <Notice tone="warn" onClose={onClose}>
      The lab computes on your processor here; a graphics card would be faster.{' '}
      {missing.length > 0
        ? `${missing.map(capital).join('. ')}. `
        : 'You chose so on the page Device. '}
      {missing.length > 0 && (
        <a
          href="https://developer.mozilla.org/docs/Web/API/WebGPU_API#browser_compatibility"
          target="_blank"
          rel="noreferrer"
        >
          How to get WebGPU
        </a>
      )}
    </Notice>
  );
}
