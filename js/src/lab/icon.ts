import { LabIcon } from '@jupyterlab/ui-components';
import svg from './icon.svg';

/** `jp-icon3` takes the theme's colour. */
export const tissueIcon = new LabIcon({ name: 'karospace:tissue', svgstr: svg });
