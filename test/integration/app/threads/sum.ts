import { failed } from '../../../../packages/millrace/src/app/outcome.ts'
import { defineThreadHandler } from '../../../../packages/millrace/src/app/threads/index.ts'
import { tasks } from './topics.ts'

export default defineThreadHandler({
  topic: tasks,
  batch(messages, { log }) {
    log.info({}, `${messages.size} of ${messages.first.offset}`)
    const bad = [...messages].filter(({ value }) => value.kind === 'throw')
    return failed(bad.map((message) => ({ message, error: new RangeError(message.value.text) })))
  },
})
