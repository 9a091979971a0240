# Completion of ipvsadm for fish. Made by 'ipvsadm completion fish'.

function __ipvsadm_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l all (commandline -op)
    set -l next (math (count $before) + 1)
    set -l after
    set -l token (commandline -t)
    test -n "$token"; and set next (math $next + 1)
    test (count $all) -ge $next; and set after $all[$next..-1]
    set -lx PATH $PATH /usr/local/sbin /usr/sbin /sbin
    for line in (command ipvsadm complete fish (count $before) $before "$current" $after 2>/dev/null </dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            printf '%s\n' "$line"
        end
    end
end

complete -c ipvsadm -f -k -a '(__ipvsadm_complete)'
