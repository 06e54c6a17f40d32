// Trains, where a step of a second does not stop the page.
import { readBook } from '../../examples/common/book.js';
import { lastingContext } from '../backend.js';
import type { News, Order } from './messages.js';
import { Training } from './training.js';

let training: Training | undefined;

addEventListener('message', ({ data }: MessageEvent<Order>) => {
  if (data.kind === 'open') {
    training = new Training(
      {
        readBook,
        openContexts: (onOpen) => lastingContext(data.choice, onOpen),
        tell: (news: News) => postMessage(news),
      },
      data,
    );
  } else if (training === undefined) {
    throw new Error('an order came before the training was opened');
  } else {
    training.obey(data);
  }
});
