// In a page: ?backend= says on what.
import { losses } from './losses.js';

const backend = new URLSearchParams(location.search).get('backend');
document.body.textContent = JSON.stringify(await losses({ backend }).catch(String));
