import { render } from 'preact';
import { App } from '../bundles/app';

const root = document.getElementById('bundles') ?? document.body;
render(<App folder={new URL('.', location.href).href} />, root);
