import { defaults, templates, templateTexts, type Choices, type Flags } from './options.ts'

/**
 * Asks for what the command line does not say: three questions at most, each with a default. Without a terminal, or
 * when told not to, the defaults are taken.
 * @returns undefined when the user has gone away
 */
export async function ask(flags: Flags, isTerminal: boolean): Promise<Choices | undefined> {
  const folder = flags.folder
  if (flags.isSilent || !isTerminal)
    return {
      folder: folder ?? defaults.folder,
      template: flags.template ?? defaults.template,
      isInstalled: flags.isInstalled ?? defaults.isInstalled,
    }
  const { confirm, isCancel, select, text } = await import('@clack/prompts')
  const named =
    folder ??
    (await text({
      message: 'Where shall it be?',
      placeholder: defaults.folder,
      defaultValue: defaults.folder,
    }))
  if (isCancel(named)) return undefined
  const template =
    flags.template ??
    (await select({
      message: 'What shall it begin with?',
      initialValue: defaults.template,
      options: templates.map((value) => ({ value, label: templateTexts[value] })),
    }))
  if (isCancel(template)) return undefined
  const isInstalled =
    flags.isInstalled ??
    (await confirm({ message: 'Run npm install?', initialValue: defaults.isInstalled }))
  if (isCancel(isInstalled)) return undefined
  return { folder: named, template, isInstalled }
}
