# bash completion for clsecure(1): clsecure itself knows what could follow.
_clsecure()
{
	local IFS=$'\n' word i=0 words=() before=${COMP_LINE:COMP_POINT - 1:1}

	# bash splits KEY=VALUE at the =; the part behind it is what is completed
	for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		if [[ $i -gt 0 && ( $word == =* || ( ${words[i - 1]} == *= && $word$before != ' ' ) ) ]]; then
			words[i - 1]+=$word
		else
			words[i++]=$word
		fi
	done
	word=${words[i - 1]}
	COMPREPLY=($(clsecure __complete -- "${words[@]}" 2>/dev/null))
	case ${COMPREPLY-} in
	:command) [[ $word == */* ]] && COMPREPLY=() || COMPREPLY=($(compgen -c -- "$word" | sort -u)) ;;
	:file) COMPREPLY=() ;;
	esac
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
	[[ $word != *=* ]] || COMPREPLY=("${COMPREPLY[@]#"${word%=*}="}")
	return 0
}
complete -o default -F _clsecure clsecure
