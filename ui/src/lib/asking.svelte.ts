// The dialog that is asked for: one at a time, from wherever it was asked
// (a button, a menu, the palette), over whatever screen there is.
import type { ImageRow } from './images/row';
import type { RunForm } from './run/form';
import type { NetworkRow } from './networks/row';
import type { VolumeRow } from './volumes/row';

export type Asked =
    | { readonly kind: 'run'; readonly image?: string }
    | { readonly kind: 'pull'; readonly reference?: string }
    | { readonly kind: 'find-images' }
    | { readonly kind: 'push'; readonly image: ImageRow }
    | { readonly kind: 'tag'; readonly image: ImageRow }
    | { readonly kind: 'untag'; readonly image: ImageRow; readonly name: string }
    | { readonly kind: 'remove-images'; readonly images: readonly ImageRow[] }
    | { readonly kind: 'prune-images' }
    | { readonly kind: 'create-volume' }
    | { readonly kind: 'remove-volumes'; readonly volumes: readonly VolumeRow[] }
    | { readonly kind: 'prune-volumes' }
    | { readonly kind: 'create-network' }
    | { readonly kind: 'remove-networks'; readonly networks: readonly NetworkRow[] }
    | { readonly kind: 'prune-networks' }
    | { readonly kind: 'diagnostics' };

export class Asking {
    current = $state.raw<Asked | null>(null);
    /** A run form that was left without being run: what was typed is not lost. */
    draft: RunForm | null = null;

    ask(asked: Asked): void {
        this.current = asked;
    }

    close(): void {
        this.current = null;
    }
}
