import { defineThreadHandler, failed } from '../../../../packages/millrace/src/index.ts'
import { tasks } from './topics.ts'

export default defineThreadHandler({
  topic: tasks,
  batch(messages, { log }) {
    log.info({}, `${messages.size} of ${messages.first.offset}`)
    const bad = [...messages].filter(({ value }) => value.kind === 'throw')
    return failed(bad.map((message) => ({ message, error: new RangeError(message.value.text) })))
  },
})
