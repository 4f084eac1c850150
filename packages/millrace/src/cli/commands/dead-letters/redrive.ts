import { systemClock } from '../../../kit/index.ts'
import { topicNamed } from '../../cluster-facts.ts'
import { defineCommand } from '../../command.ts'
import { choiceOf, choiceOptions } from '../../dead-letters/choice.ts'
import { exitCodes } from '../../exit-code.ts'
import { redriveText } from '../../render/redrive.ts'

export const deadLettersRedrive = defineCommand({
  arguments: { topic: { about: 'the dead letter topic' } },
  options: {
    ...choiceOptions,
    to: { type: 'text', about: 'another topic than the one they came from' },
    allGroups: {
      type: 'flag',
      about: 'let every group handle the copies, not only the one that gave them up',
    },
    rate: { type: 'number', about: 'most messages a second' },
    job: {
      type: 'text',
      about: 'keep the progress under this name instead of one made from the choice',
    },
    again: {
      type: 'flag',
      about: 'begin at the start, also with letters that this job has sent before',
    },
    execute: { type: 'flag', about: 'send them' },
  },
  examples: [
    'millrace dead-letters redrive orders-dlt',
    'millrace dead-letters redrive orders-dlt --error ECONNREFUSED --rate 100 --execute',
    'millrace dead-letters redrive orders-dlt --at 0:0 --execute',
  ],

  async run(input, { print, cluster, signal }) {
    const { choice, flags } = choiceOf(input, systemClock.now())
    const opened = await cluster()
    const { name } = await topicNamed(opened, input.topic)
    const { redrive } = await import('../../../app/index.ts')
    const { to, rate, job } = input
    const report = await redrive(opened.client, {
      from: name,
      where: choice,
      onlyGroup: input.allGroups !== true,
      dryRun: input.execute !== true,
      again: input.again === true,
      signal,
      ...(to === undefined ? {} : { to: (await topicNamed(opened, to)).name }),
      ...(rate === undefined ? {} : { rate }),
      ...(job === undefined ? {} : { job }),
    })
    await print.document(report, () => redriveText(report))
    for (const note of report.notes) print.talk(`note: ${note}`)
    const command = ['millrace dead-letters redrive', input.topic, flags]
    if (to !== undefined) command.push(`--to ${to}`)
    if (input.allGroups === true) command.push('--all-groups')
    if (job !== undefined) command.push(`--job ${job}`)
    const again = command.filter((part) => part !== '').join(' ')
    if (!report.isComplete) {
      print.talk(`Cancelled after ${report.sent}. Go on with: ${again} --execute`)
      return exitCodes.interrupted
    }
    if (report.isDryRun && report.chosen > 0)
      print.talk(`Nothing was sent. To send them: ${again} --execute`)
    return exitCodes.done
  },
})
