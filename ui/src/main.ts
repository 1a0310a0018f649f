import { mount } from 'svelte';
import App from './App.svelte';
import { createApp } from './lib/app.svelte';
import { hostOfThisPage } from './lib/host';
import { isFirstStart } from './lib/onboarding/steps';
import { href } from './views/routes';
import './styles/tokens.css';
import './styles/base.css';
import './styles/appearance.css';

const app = createApp(await hostOfThisPage());

function look(): void {
    app.engine.look(document.hidden);
    app.clock.look(document.hidden);
}

document.addEventListener('visibilitychange', look);
look();
if (isFirstStart(app.host.native, location.hash)) app.router.go(href({ screen: 'welcome' }));
app.engine.start();
mount(App, { target: document.body, props: { app } });
// It is there: public/again.js may count from the beginning.
sessionStorage.removeItem('dhow.again');
