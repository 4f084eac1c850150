/**
 * Plays the tutorial: a user, a second one with the same e-mail, whose row the database refuses until the constraint is
 * dropped. The second message is tried again at its offset, and then stored.
 */
import { monitor } from 'millrace'

import { addConstraint, allUsers, deleteUsers, dropConstraint } from './app/database.ts'
import { UsersResponder } from './app/responders/users-responder.ts'

const enoughAttempts = 3
const email = 'ada@example.com'

interface Steps {
  /** What has happened so far. */
  readonly said: string[]
  /** Attempts at the second message that failed. */
  attempts: number
}

const stepCount = 4

export interface Tutorial extends AsyncDisposable {
  readonly addresses: readonly []
  progress(): { readonly label: string; readonly done: number; readonly total: number }
  live(): string
  /** Resolves when both users are stored. */
  readonly finished: Promise<void>
  report(): Promise<{ readonly text: string; readonly document: unknown }>
}

export async function playTutorial(): Promise<Tutorial> {
  const steps: Steps = { said: [], attempts: 0 }
  const { promise, resolve } = Promise.withResolvers<void>()
  // Former runs may have left rows, and have dropped the constraint.
  deleteUsers()
  addConstraint()

  const end = monitor.subscribe({
    onConsumerFailed({ topic, partition, offset, attempt }) {
      steps.attempts++
      say(steps, `${topic}/${partition}@${offset} failed, attempt ${attempt}`)
      if (steps.attempts !== enoughAttempts) return
      dropConstraint()
      say(steps, 'the constraint is dropped')
    },
    onJobFinished({ result }) {
      if (result !== 'done') return
      say(steps, `stored ${allUsers().length} of 2`)
      if (allUsers().length === 2) resolve()
    },
  })
  for (const name of ['Ada', 'Augusta']) {
    const event = { event_name: 'user_created', payload: { user: { name, email } } } as const
    const responses = await UsersResponder.call(event)
    say(steps, `responded: ${JSON.stringify(responses)}`)
  }
  return {
    addresses: [],
    progress: () => ({
      label: 'tutorial',
      done:
        allUsers().length +
        Math.min(steps.attempts, 1) +
        (steps.attempts >= enoughAttempts ? 1 : 0),
      total: stepCount,
    }),
    live: () => steps.said.slice(-6).join('\n'),
    finished: promise,
    report: () => {
      const document = { attempts: steps.attempts, users: allUsers() }
      const rows = document.users.map(({ id, name }) => `  ${id}  ${name}  ${email}`)
      const text = [...steps.said, '', 'users:', ...rows].join('\n')
      return Promise.resolve({ text, document })
    },
    [Symbol.asyncDispose]: () => {
      end()
      return Promise.resolve()
    },
  }
}

function say({ said }: Steps, line: string): void {
  said.push(line)
}
