import { defineThreadHandler } from '../../../../packages/millrace/src/app/threads/index.ts'
import { events } from './topics.ts'

export default defineThreadHandler({
  topic: events,
  on: {
    added: ({ value }, { log }) => log.info({}, `added ${value.amount}`),
    cleared: (_message, { log }) => log.info({}, 'cleared'),
  },
})
