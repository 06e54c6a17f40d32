import { losses } from './losses.js';

addEventListener('message', async ({ data: backend }) => {
  postMessage(await losses({ backend }).catch(String));
});
