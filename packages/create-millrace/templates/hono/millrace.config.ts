import { defineApp, defineConfig, defineConsumer } from 'millrace'

import { GreetingsConsumer } from './app/consumers/greetings-consumer.ts'
import { greetings } from './app/topics.ts'

export const greeter = defineConsumer({
  topic: greetings,
  group: 'greetings',
  retries: 3,
  deadLetter: true,
  use: GreetingsConsumer,
})

/** The boot file: every `millrace` command starts from it. `npx millrace config` explains every setting. */
export default defineConfig({
  clientId: '{{name}}',
  app: defineApp({ topics: [greetings], consumers: [greeter] }),
  // Beside broker and worker `npm run dev` runs the server, and tells it where the broker is.
  dev: { run: ['node --watch server.ts'] },
})
