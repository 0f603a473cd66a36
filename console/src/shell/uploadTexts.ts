import type { Text } from '../language/language.ts';

/** What Cloudscape's file upload says. */
export function uploadTexts(t: Text) {
  return {
    uploadButtonText: (several: boolean) => (several ? t('chooseFiles') : t('chooseFile')),
    dropzoneText: (several: boolean) => (several ? t('dropFiles') : t('dropFile')),
    removeFileAriaLabel: (index: number) => t('removeFile', { number: index + 1 }),
    errorIconAriaLabel: t('error'),
  };
}
