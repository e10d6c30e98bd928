import { CaptionsElement } from './captions-element.ts';

const name = 'dialoglens-captions';

// A page may load this twice; a name can be taken once.
if (!customElements.get(name)) customElements.define(name, CaptionsElement);
